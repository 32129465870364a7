/** The first line of a response (RFC 9112 §4), read strictly. */
import { endOfText, isLineEnd } from './field-lines.ts';
import { MessageError } from './message-error.ts';

/** What every response begins with that is read here. */
export const VERSION_PREFIX = 'HTTP/1.';
const PREFIX_BYTES = Buffer.from(VERSION_PREFIX, 'latin1');

const MINOR_VERSION_AT = VERSION_PREFIX.length;
const STATUS_AT = 'HTTP/1.1 '.length;
const STATUS_END = 'HTTP/1.1 200'.length;

const SPACE = 0x20;
const ZERO = 0x30;

export interface StatusLine {
  /** Of HTTP/1: 0 or 1. */
  readonly minorVersion: number;
  /** From 100 to 999. */
  readonly status: number;
  /** In Latin-1; may be empty. */
  readonly reason: string;
  /** Where it ends, behind its CRLF. */
  readonly end: number;
}

/** @throws MessageError where no status line begins at `start` */
export function readStatusLine(bytes: Buffer, start: number): StatusLine {
  const minorVersion = digitAt(bytes, start + MINOR_VERSION_AT);
  const status = readStatus(bytes, start + STATUS_AT);
  const statusEnd = start + STATUS_END;
  // Some leave out the space before an empty reason.
  const hasReason = bytes[statusEnd] === SPACE;
  const reasonStart = hasReason ? statusEnd + 1 : statusEnd;
  const lineEnd = hasReason ? endOfText(bytes, reasonStart) : statusEnd;
  const isValid =
    hasPrefix(bytes, start) &&
    (minorVersion === 0 || minorVersion === 1) &&
    bytes[start + STATUS_AT - 1] === SPACE &&
    status >= 100 &&
    isLineEnd(bytes, lineEnd);
  if (!isValid) throw new MessageError('bad status line');
  const reason = bytes.toString('latin1', reasonStart, lineEnd);
  return { minorVersion, status, reason, end: lineEnd + 2 };
}

function hasPrefix(bytes: Buffer, start: number): boolean {
  for (let index = 0; index < PREFIX_BYTES.length; index += 1) {
    if (bytes[start + index] !== PREFIX_BYTES[index]) return false;
  }
  return true;
}

/** Three digits; NaN for anything else. */
function readStatus(bytes: Buffer, at: number): number {
  return digitAt(bytes, at) * 100 + digitAt(bytes, at + 1) * 10 + digitAt(bytes, at + 2);
}

function digitAt(bytes: Buffer, at: number): number {
  const value = (bytes[at] ?? 0) - ZERO;
  return value >= 0 && value <= 9 ? value : Number.NaN;
}
