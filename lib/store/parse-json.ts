/**
 * A strict JSON reader (RFC 8259). JSON.parse would be quicker, but it drops all but the last of
 * duplicate keys without a word, and not all of its errors say where. This one reads the text once, in
 * linear time, and builds the values as it goes; a test holds it equal to JSON.parse.
 */
import { childPointer, type Problem } from '../core/config/problem.ts';
import { MAX_NESTING, MAX_PROBLEMS } from './document-limits.ts';
import { setOwnProperty } from './own-property.ts';
import type { ParsedDocument } from './parsed-document.ts';
import { describeLocation } from './text-location.ts';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const LITERALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Parses JSON text. Reading stops at the first syntax error; duplicate keys are all reported. */
export function parseJson(text: string): ParsedDocument {
  const reader = new JsonReader(text);
  try {
    const document = reader.readDocument();
    const problems = reader.problems;
    return { document: problems.length === 0 ? document : undefined, problems };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const syntaxProblem = { pointer: '', message: `not valid JSON: ${error.message}` };
    return { document: undefined, problems: [syntaxProblem, ...reader.problems] };
  }
}

class JsonSyntaxError extends Error {}

class JsonReader {
  readonly problems: Problem[] = [];
  readonly #text: string;
  #at = 0;
  /** The keys and indices that lead to the value being read. */
  readonly #path: (string | number)[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): unknown {
    const document = this.#readValue();
    this.#skipWhitespace();
    if (this.#at < this.#text.length) this.#fail(`unexpected ${this.#describeNext()} after the end`);
    return document;
  }

  #readValue(): unknown {
    this.#skipWhitespace();
    switch (this.#text.charCodeAt(this.#at)) {
      case OPEN_BRACE:
        return this.#readObject();
      case OPEN_BRACKET:
        return this.#readArray();
      case QUOTE:
        return this.#readString();
      default:
        return this.#readScalar();
    }
  }

  #readObject(): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    this.#enter();
    if (this.#takeIf(CLOSE_BRACE)) return result;
    do {
      this.#skipWhitespace();
      const keyAt = this.#at;
      if (this.#text.charCodeAt(keyAt) !== QUOTE) this.#fail(`expected a key in quotes, ${this.#found()}`);
      const key = this.#readString();
      if (!this.#takeIf(COLON)) this.#fail(`expected ":" after the key, ${this.#found()}`);
      this.#path.push(key);
      if (Object.hasOwn(result, key)) this.#reportDuplicate(key, keyAt);
      setOwnProperty(result, key, this.#readValue());
      this.#path.pop();
    } while (this.#takeIf(COMMA));
    if (!this.#takeIf(CLOSE_BRACE)) this.#fail(`expected "," or "}", ${this.#found()}`);
    return result;
  }

  #readArray(): unknown[] {
    const result: unknown[] = [];
    this.#enter();
    if (this.#takeIf(CLOSE_BRACKET)) return result;
    do {
      this.#path.push(result.length);
      result.push(this.#readValue());
      this.#path.pop();
    } while (this.#takeIf(COMMA));
    if (!this.#takeIf(CLOSE_BRACKET)) this.#fail(`expected "," or "]", ${this.#found()}`);
    return result;
  }

  #readString(): string {
    const start = this.#at;
    let escaped = false;
    for (this.#at += 1; ; ) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        escaped = true;
        this.#skipEscape();
      } else if (code >= SPACE) {
        this.#at += 1;
      } else {
        // Also where the text ends: charCodeAt is NaN there.
        this.#fail(`unexpected ${this.#describeNext()} in a string`);
      }
    }
    this.#at += 1;
    if (!escaped) return this.#text.slice(start + 1, this.#at - 1);
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #skipEscape(): void {
    ESCAPE.lastIndex = this.#at;
    if (!ESCAPE.test(this.#text)) this.#fail('an escape sequence that JSON does not know, in a string');
    this.#at = ESCAPE.lastIndex;
  }

  #readScalar(): unknown {
    for (const [word, value] of LITERALS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.#at;
    if (!NUMBER.test(this.#text)) this.#fail(`expected a value, ${this.#found()}`);
    const number = Number(this.#text.slice(this.#at, NUMBER.lastIndex));
    if (!Number.isFinite(number)) this.#fail('a number too large for JSON to carry on');
    this.#at = NUMBER.lastIndex;
    return number;
  }

  #enter(): void {
    if (this.#path.length >= MAX_NESTING) this.#fail(`nested deeper than ${MAX_NESTING} levels`);
    this.#at += 1;
  }

  #takeIf(expected: number): boolean {
    this.#skipWhitespace();
    if (this.#text.charCodeAt(this.#at) !== expected) return false;
    this.#at += 1;
    return true;
  }

  #skipWhitespace(): void {
    for (; ; this.#at += 1) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== SPACE && code !== LINE_FEED && code !== CARRIAGE_RETURN && code !== TAB) return;
    }
  }

  #reportDuplicate(key: string, keyAt: number): void {
    if (this.problems.length >= MAX_PROBLEMS) return;
    this.problems.push({
      pointer: this.#path.reduce<string>(childPointer, ''),
      message: `the key ${JSON.stringify(key)} is there again at ${describeLocation(this.#text, keyAt)}`,
      hint: 'a key stands once in an object: keep one of them',
    });
  }

  #found(): string {
    return `found ${this.#describeNext()}`;
  }

  #describeNext(): string {
    const codePoint = this.#text.codePointAt(this.#at);
    return codePoint === undefined ? 'the end of the text' : JSON.stringify(String.fromCodePoint(codePoint));
  }

  #fail(message: string): never {
    throw new JsonSyntaxError(`${message} at ${describeLocation(this.#text, this.#at)}`);
  }
}
