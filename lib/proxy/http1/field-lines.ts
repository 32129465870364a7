/** The field lines of a head or of a trailer section (RFC 9110 §5, RFC 9112 §5), read strictly. */
import { MessageError, MessageTooLong } from './message-error.ts';

/** Of an answer, and of trailers. */
const MAX_FIELDS = 1_000;

const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;

/** For each byte whether it is one of those, as 1 or 0: to look at bytes costs a fraction of looking at characters. */
function tableOf(isOne: (character: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => Number(isOne(String.fromCharCode(byte))));
}

/** What names consist of (RFC 9110 §5.6.2). */
const TOKEN = tableOf((character) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character));
/** What values and reasons consist of: no controls but the tab (RFC 9110 §5.5). */
const TEXT = tableOf((character) => /[\t\x20-\x7e\x80-\xff]/.test(character));

/** @returns behind the text that begins at `start`, which ends at the first control but the tab */
export function endOfText(bytes: Buffer, start: number): number {
  let at = start;
  while (TEXT[bytes[at]!] === 1) at += 1;
  return at;
}

export function isLineEnd(bytes: Buffer, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF;
}

/**
 * Reads field lines, each with its CRLF.
 * @param start where the first line begins
 * @param end behind the CRLF of the last line
 * @returns flat: name, value, name, value, …; in Latin-1, values without the white space around them
 * @throws MessageError
 */
export function readFieldLines(bytes: Buffer, start: number, end: number, maxFields = MAX_FIELDS): string[] {
  const fields: string[] = [];
  // Slices of one text cost less than texts of their own.
  const text = bytes.toString('latin1', start, end);
  let at = start;
  while (at < end) {
    const nameEnd = endOfName(bytes, at);
    const valueStart = skipBlanks(bytes, nameEnd + 1);
    const lineEnd = endOfText(bytes, valueStart);
    if (!isLineEnd(bytes, lineEnd)) throw new MessageError('a control character in a field');
    const valueEnd = dropBlanks(bytes, valueStart, lineEnd);
    fields.push(text.slice(at - start, nameEnd - start), text.slice(valueStart - start, valueEnd - start));
    at = lineEnd + 2;
  }
  if (fields.length > 2 * maxFields) throw new MessageTooLong(`more than ${maxFields} fields`);
  return fields;
}

/** @returns where the colon is: right behind the name (RFC 9112 §5.1) */
function endOfName(bytes: Buffer, start: number): number {
  let at = start;
  while (TOKEN[bytes[at]!] === 1) at += 1;
  if (at === start || bytes[at] !== COLON)
    throw new MessageError('a field line that does not begin with a token and a colon');
  return at;
}

function skipBlanks(bytes: Buffer, start: number): number {
  let at = start;
  while (isBlank(bytes[at])) at += 1;
  return at;
}

function dropBlanks(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(bytes[at - 1])) at -= 1;
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}
