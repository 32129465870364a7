/** The first line of a request (RFC 9112 §3), read strictly. */
import { METHODS } from 'node:http';
import { isLineEnd } from './field-lines.ts';
import { MessageError } from './message-error.ts';

const SPACE = 0x20;
const DELETE = 0x7f;
const VERSION_BYTES = 'HTTP/1.1'.length;
/** All that there ever were. */
const VERSION = /^HTTP\/(?:0\.9|1\.[01]|2\.0)$/;

/** Who asks for something else more likely speaks no HTTP. */
const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);
const LONGEST_METHOD = Math.max(...METHODS.map((method) => method.length));

export interface RequestLine {
  readonly method: string;
  /** As it came, in Latin-1, without controls and spaces. */
  readonly target: string;
  /** Such as `1.1`: one that is not spoken here has to be refused by whoever answers. */
  readonly version: string;
  /** Where the line ends, behind its CRLF. */
  readonly end: number;
}

/** @throws MessageError where no request line begins at `start`; the bytes hold the whole line */
export function readRequestLine(bytes: Buffer, start: number): RequestLine {
  const methodEnd = endOfWord(bytes, start);
  const targetStart = methodEnd + 1;
  const targetEnd = endOfWord(bytes, targetStart);
  if (bytes[methodEnd] !== SPACE || targetEnd === targetStart) throw new MessageError('bad request line');
  const method = bytes.toString('latin1', start, methodEnd);
  if (!KNOWN_METHODS.has(method)) throw new MessageError('unknown method');
  const target = bytes.toString('latin1', targetStart, targetEnd);
  // HTTP/0.9 named no version.
  if (isLineEnd(bytes, targetEnd)) return { method, target, version: '0.9', end: targetEnd + 2 };
  const end = targetEnd + 1 + VERSION_BYTES;
  const version = bytes.toString('latin1', targetEnd + 1, end);
  const isVersion = version === 'HTTP/1.1' || VERSION.test(version);
  if (bytes[targetEnd] !== SPACE || !isVersion || !isLineEnd(bytes, end))
    throw new MessageError('bad request line');
  return { method, target, version: version.slice('HTTP/'.length), end: end + 2 };
}

/** How much of a head is enough to know whether a method begins it. */
export const METHOD_PEEK = LONGEST_METHOD + 1;

/** Whether a request may begin like this. @param text up to METHOD_PEEK characters */
export function mayBeginRequest(text: string): boolean {
  const space = text.indexOf(' ');
  if (space !== -1) return KNOWN_METHODS.has(text.slice(0, space));
  return METHODS.some((method) => method.startsWith(text));
}

/** @returns behind the bytes from `start` that are neither controls nor spaces */
function endOfWord(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at]! > SPACE && bytes[at] !== DELETE) at += 1;
  return at;
}
