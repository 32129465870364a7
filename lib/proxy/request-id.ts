import { randomBytes } from 'node:crypto';

const LONGEST = 128;

/** Ids that are unique without asking the random source for each: a random prefix a process, then a count. */
export class RequestIds {
  readonly #prefix = randomBytes(9).toString('base64url');
  #count = 0;

  next(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }
}

/** Whether an id from outside may go into logs and headers as it is. */
export function isPlainRequestId(id: string): boolean {
  if (id.length === 0 || id.length > LONGEST) return false;
  for (let index = 0; index < id.length; index += 1) {
    const code = id.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f || code === 0x22 || code === 0x2c || code === 0x5c) return false;
  }
  return true;
}
