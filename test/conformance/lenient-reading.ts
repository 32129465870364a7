/**
 * Reads bytes as servers do that forgive: each `Habit` is one in which servers in use are known to differ. Where
 * two of these readings find different requests in the same bytes, an attacker can choose between them.
 */
import type { HeaderField } from '../helpers/http-message.ts';

export interface Habit {
  readonly name: string;
  /** Content-Length is believed where Transfer-Encoding stands beside it. */
  readonly prefersLength?: boolean;
  /** The last of several lengths counts, not the first. */
  readonly takesLastLength?: boolean;
  /** A CR without LF ends a line, too. */
  readonly endsLinesAtCr?: boolean;
  /** The line of a chunk's size ends at CR LF only: a bare LF belongs to its extension. */
  readonly needsCrLfAfterSize?: boolean;
  /** Only the exact value `chunked` counts; everything else is as if there were no such field. */
  readonly needsExactCoding?: boolean;
  /** A line that begins with white space continues the one before. */
  readonly unfolds?: boolean;
}

export const HABITS: readonly Habit[] = [
  { name: 'takes what looks like chunked for chunked' },
  { name: 'prefers Content-Length', prefersLength: true },
  { name: 'takes the last of several lengths', prefersLength: true, takesLastLength: true },
  { name: 'ends lines at CR', endsLinesAtCr: true },
  { name: 'needs CR LF after the size of a chunk', needsCrLfAfterSize: true },
  { name: 'ignores unknown codings', needsExactCoding: true },
  { name: 'unfolds lines', unfolds: true },
];

export interface ReadRequest {
  readonly line: string;
  readonly target: string;
  /** False where the bytes end before the body does. */
  readonly isComplete: boolean;
}

/** All requests that a server of this habit finds; what cannot begin a request ends the reading. */
export function readLeniently(bytes: string, habit: Habit): ReadRequest[] {
  const scanner = new Scanner(bytes, habit);
  const requests: ReadRequest[] = [];
  for (;;) {
    const request = readRequest(scanner, habit);
    if (request === null) return requests;
    requests.push(request);
    if (!request.isComplete) return requests;
  }
}

/** Takes lines and pieces from a text, in order. */
class Scanner {
  readonly #text: string;
  readonly #lineEnd: RegExp;
  #position = 0;

  constructor(text: string, habit: Habit) {
    this.#text = text;
    this.#lineEnd = habit.endsLinesAtCr ? /\r?\n|\r/g : /\r?\n/g;
  }

  /** The next line without its end, null where there is no whole one. */
  takeLine(lineEnd: RegExp = this.#lineEnd): string | null {
    lineEnd.lastIndex = this.#position;
    const match = lineEnd.exec(this.#text);
    if (match === null) return null;
    const line = this.#text.slice(this.#position, match.index);
    this.#position = match.index + match[0].length;
    return line;
  }

  /** Skips so many characters; false where there are not as many. */
  skip(length: number): boolean {
    this.#position += length;
    return this.#position <= this.#text.length;
  }

  skipLineEnd(): void {
    if (this.#text[this.#position] === '\r') this.#position += 1;
    if (this.#text[this.#position] === '\n') this.#position += 1;
  }
}

function readRequest(scanner: Scanner, habit: Habit): ReadRequest | null {
  let line = scanner.takeLine();
  while (line === '') line = scanner.takeLine();
  if (line === null) return null;
  const words = line.split(/\s+/);
  if (!/^[!-~]+$/.test(words[0] ?? '') || words.length < 2) return null;
  const fields = readFields(scanner, habit);
  if (fields === null) return null;
  return { line, target: words[1] ?? '', isComplete: skipBody(scanner, fields, habit) };
}

/** Null where the head is not complete. */
function readFields(scanner: Scanner, habit: Habit): HeaderField[] | null {
  const lines: string[] = [];
  for (;;) {
    const line = scanner.takeLine();
    if (line === null) return null;
    if (line === '') break;
    if (habit.unfolds && /^[ \t]/.test(line) && lines.length > 0) lines.push(`${lines.pop()} ${line.trim()}`);
    else lines.push(line);
  }
  return lines.map((line) => {
    const colon = line.indexOf(':');
    // As servers see names that hand fields on as environment variables, and those that trim them.
    const name = line.slice(0, colon).trim().toLowerCase().replaceAll('_', '-');
    return [name, line.slice(colon + 1).trim()];
  });
}

/** False where the body is not complete. */
function skipBody(scanner: Scanner, fields: readonly HeaderField[], habit: Habit): boolean {
  const lengths = valuesOf(fields, 'content-length').flatMap((value) => value.split(','));
  const codings = valuesOf(fields, 'transfer-encoding').filter((value) => isChunked(value, habit));
  if (codings.length > 0 && !(habit.prefersLength && lengths.length > 0)) return skipChunks(scanner, habit);
  const length = Number.parseInt(lengths.at(habit.takesLastLength ? -1 : 0) ?? '0', 10);
  return Number.isNaN(length) || scanner.skip(Math.max(length, 0));
}

function valuesOf(fields: readonly HeaderField[], name: string): string[] {
  return fields.filter(([other]) => other === name).map(([, value]) => value);
}

function isChunked(value: string, habit: Habit): boolean {
  return habit.needsExactCoding ? value.toLowerCase() === 'chunked' : /chunked/i.test(value);
}

function skipChunks(scanner: Scanner, habit: Habit): boolean {
  for (;;) {
    const line = scanner.takeLine(habit.needsCrLfAfterSize ? /\r\n/g : undefined);
    if (line === null) return false;
    const size = Number.parseInt(line, 16);
    if (Number.isNaN(size) || size < 0) return false;
    if (size === 0) return skipTrailers(scanner);
    if (!scanner.skip(size)) return false;
    scanner.skipLineEnd();
  }
}

function skipTrailers(scanner: Scanner): boolean {
  for (;;) {
    const line = scanner.takeLine();
    if (line === null) return false;
    if (line === '') return true;
  }
}
