/** Field lines as they go over the wire (RFC 9110 §5). */

/** A field that would not stay what it is on the wire. The code makes it a failure of the protocol. */
export class FieldError extends Error {
  readonly code = 'ERR_INVALID_CHAR';
}

/** RFC 9110 §5.6.2. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** All that must not stand in a value: controls, and what is no single byte. */
const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Names that were found valid: most come again and again. Bounded, as peers choose them. */
const validNames = new Set<string>();
const MAX_REMEMBERED_NAMES = 2_000;
const LONGEST_REMEMBERED_NAME = 64;

function checkName(name: string): void {
  if (validNames.has(name)) return;
  if (!TOKEN.test(name)) throw new FieldError('a field name that is no token');
  if (validNames.size < MAX_REMEMBERED_NAMES && name.length <= LONGEST_REMEMBERED_NAME) validNames.add(name);
}

/** @throws FieldError where the text cannot be (part of) a field value */
export function checkValue(value: string): void {
  if (FORBIDDEN_IN_VALUE.test(value)) throw new FieldError('a field value that cannot be sent');
}

/**
 * Field lines, each with its CRLF, in Latin-1.
 * @param fields flat: name, value, name, value, …
 * @throws FieldError where something in them could be read as the end of a line, or as something else than it is
 */
export function formatFields(fields: readonly string[]): string {
  let lines = '';
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    const value = fields[index + 1]!;
    checkName(name);
    checkValue(value);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** Whether a field of this name is among them; `name` in lower case. */
export function hasField(fields: readonly string[], name: string): boolean {
  for (let index = 0; index < fields.length; index += 2) {
    const field = fields[index]!;
    if (field.length === name.length && field.toLowerCase() === name) return true;
  }
  return false;
}
