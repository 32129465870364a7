/** Reads bytes as a server does that accepts only what RFC 9112 says, and one way to read it. */
import { frameRequestBody, HttpMessage, MalformedMessageError } from '../helpers/http-message.ts';
import { MessageReader } from '../helpers/message-reader.ts';
import type { StrictRequest } from './observation.ts';

export interface StrictReading {
  readonly requests: readonly StrictRequest[];
  /** Why the reading ended before the bytes did; null where it did not. */
  readonly problem: string | null;
}

const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e]+ HTTP\/1\.[01]$/;

/** All requests of a connection, the last one possibly incomplete. */
export function readStrictly(bytes: Buffer): StrictReading {
  const requests: StrictRequest[] = [];
  let rest = skipEmptyLines(bytes);
  while (rest.length > 0) {
    const reader = new MessageReader(new HttpMessage(), frame);
    try {
      reader.feed(rest);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      return { requests, problem: error.message };
    }
    // The beginning of a head is no request yet, whatever the reading.
    if (!reader.hasHead) break;
    requests.push({ message: reader.message, isComplete: reader.isComplete });
    rest = reader.isComplete ? skipEmptyLines(reader.surplus) : Buffer.alloc(0);
  }
  return { requests, problem: null };
}

/** They may stand before a request line (RFC 9112 §2.2). */
function skipEmptyLines(bytes: Buffer): Buffer {
  let start = 0;
  while (bytes[start] === 0x0d && bytes[start + 1] === 0x0a) start += 2;
  return bytes.subarray(start);
}

function frame(message: HttpMessage): ReturnType<typeof frameRequestBody> {
  if (!REQUEST_LINE.test(message.startLine))
    throw new MalformedMessageError(`request line ${JSON.stringify(message.startLine)}`);
  const hosts = message.headerValues('host').length;
  // Only HTTP/1.1 asks for the field (RFC 9112 §3.2).
  if (hosts > 1 || (hosts === 0 && message.startLine.endsWith('1.1')))
    throw new MalformedMessageError(`${hosts} Host fields`);
  return frameRequestBody(message);
}

/** The target of a request line, however many words it has. */
export function targetOf(message: HttpMessage): string {
  return message.startLine.split(' ')[1] ?? '';
}
