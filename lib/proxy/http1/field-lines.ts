/** The field lines of a head or of a trailer section (RFC 9110 §5, RFC 9112 §5), read strictly. */
import { ResponseError } from './response-error.ts';

const MAX_FIELDS = 1_000;

const SPACE = 0x20;
const TAB = 0x09;

/** Names come in a few spellings; remembering those that were found valid saves looking at each character. Bounded, as origins choose them. */
const validNames = new Set<string>();
const MAX_REMEMBERED_NAMES = 2_000;
const LONGEST_REMEMBERED_NAME = 64;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function checkName(name: string): void {
  if (validNames.has(name)) return;
  if (!TOKEN.test(name)) throw new ResponseError('a field name that is no token');
  if (validNames.size < MAX_REMEMBERED_NAMES && name.length <= LONGEST_REMEMBERED_NAME) validNames.add(name);
}

/** Neither controls but the tab nor, in a text read as Latin-1, DEL (RFC 9110 §5.5). */
export function isFieldText(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if ((code < SPACE && code !== TAB) || code === 0x7f) return false;
  }
  return true;
}

/**
 * Reads field lines, each with its CRLF.
 * @param text Latin-1
 * @param start where the first line begins
 * @param end behind the CRLF of the last line
 * @returns flat: name, value, name, value, …
 * @throws ResponseError
 */
export function readFieldLines(text: string, start: number, end: number): string[] {
  const fields: string[] = [];
  let lineStart = start;
  while (lineStart < end) {
    const lineEnd = text.indexOf('\r\n', lineStart);
    const colon = text.indexOf(':', lineStart);
    if (colon === -1 || colon > lineEnd) throw new ResponseError('a field line without a colon');
    const name = text.slice(lineStart, colon);
    checkName(name);
    let valueStart = colon + 1;
    while (isBlank(text.charCodeAt(valueStart))) valueStart += 1;
    let valueEnd = lineEnd;
    while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
    if (!isFieldText(text, valueStart, valueEnd)) throw new ResponseError('a control character in a field');
    fields.push(name, text.slice(valueStart, valueEnd));
    lineStart = lineEnd + 2;
  }
  if (fields.length > 2 * MAX_FIELDS) throw new ResponseError(`more than ${MAX_FIELDS} fields`);
  return fields;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
