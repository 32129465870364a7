import { HttpMessage } from './http-message.ts';

export type RequestEnd = 'complete' | 'malformed' | 'reset' | 'closed early';

/** A request as it came: head and body byte by byte, and what they say. */
export class OriginRequest extends HttpMessage {
  readonly connectionNumber: number;
  /** How the request ended, once it has. */
  readonly ended: Promise<RequestEnd>;
  readonly #resolveEnd: (end: RequestEnd) => void;

  constructor(connectionNumber: number) {
    super();
    this.connectionNumber = connectionNumber;
    const { promise, resolve } = Promise.withResolvers<RequestEnd>();
    this.ended = promise;
    this.#resolveEnd = resolve;
  }

  get method(): string {
    return this.startLine.split(' ')[0] ?? '';
  }

  get target(): string {
    return this.startLine.split(' ')[1] ?? '';
  }

  get wantsClose(): boolean {
    const options =
      this.header('connection')
        ?.toLowerCase()
        .split(/\s*,\s*/) ?? [];
    return options.includes('close') || this.startLine.endsWith('/1.0');
  }

  end(how: RequestEnd): void {
    this.#resolveEnd(how);
  }
}
