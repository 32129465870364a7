/**
 * Reads JSON as it arrives, so that a body of 100,000 routes never holds up the event loop as one call of
 * JSON.parse would, for a third of a second. The outer two levels (a document and its sections, or a change
 * and its operations) are read here, byte by byte; what they hold goes to JSON.parse, entry by entry.
 */
import { isUtf8 } from 'node:buffer';
import { childPointer } from '../core/config/problem.ts';
import { JsonPieceScanner } from './json-piece-scanner.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** Containers up to this depth are read here; deeper ones are pieces. */
const OPEN_LEVELS = 2;

/** The body is no JSON that can be taken; the message says where and why, and repeats nothing of the body but keys. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

/** What may come next. `firstKey` and `firstItem` may also be the end of their container. */
type Expectation = 'value' | 'firstItem' | 'firstKey' | 'key' | 'colon' | 'separator' | 'nothing';

interface Frame {
  readonly container: Record<string, unknown> | unknown[];
  /** Of the value that is being read, in an object. */
  key: string;
}

export class JsonStreamReader {
  readonly #frames: Frame[] = [];
  readonly #piece = new JsonPieceScanner();
  #expectation: Expectation = 'value';
  #document: unknown;
  #isEmpty = true;
  /** Bytes before the chunk at hand. */
  #offset = 0;
  /** How many bytes of a byte order mark came: none of it, or all. */
  #markBytes = 0;

  /** @throws JsonSyntaxError */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.#piece.isOpen ? this.#continuePiece(chunk, at) : this.#readByte(chunk, at);
    }
    this.#offset += chunk.length;
  }

  /** The document, undefined where no byte of one came. @throws JsonSyntaxError where it is not whole */
  end(): unknown {
    // Only a number or a word at the outermost level can end with the body.
    if (this.#piece.isOpen && this.#frames.length === 0) this.#takePiece(this.#piece.finish());
    if (this.#isEmpty && !this.#isWithinMark) return undefined;
    if (this.#expectation !== 'nothing') this.#fail(this.#offset, 'the body ends too early');
    return this.#document;
  }

  get #isWithinMark(): boolean {
    return this.#markBytes > 0 && this.#markBytes < BYTE_ORDER_MARK.length;
  }

  get #expectsKey(): boolean {
    return this.#expectation === 'key' || this.#expectation === 'firstKey';
  }

  /** Returns where to go on. */
  #readByte(chunk: Buffer, at: number): number {
    const byte = chunk[at]!;
    const where = this.#offset + at;
    if (where === this.#markBytes && byte === BYTE_ORDER_MARK[where]) {
      this.#markBytes += 1;
      return at + 1;
    }
    if (this.#isWithinMark) this.#fail(where, 'a value is not expected here');
    if (isWhitespace(byte)) return at + 1;
    this.#isEmpty = false;
    if (byte === COMMA) this.#passComma(where);
    else if (byte === COLON) this.#passColon(where);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#closeContainer(byte, where);
    else return this.#beginValue(byte, chunk, at);
    return at + 1;
  }

  #passComma(where: number): void {
    if (this.#expectation !== 'separator') this.#fail(where, 'a comma is not expected here');
    this.#expectation = Array.isArray(this.#frames.at(-1)?.container) ? 'value' : 'key';
  }

  #passColon(where: number): void {
    if (this.#expectation !== 'colon') this.#fail(where, 'a colon is not expected here');
    this.#expectation = 'value';
  }

  #closeContainer(byte: number, where: number): void {
    const frame = this.#frames.at(-1);
    const isList = byte === CLOSE_BRACKET;
    const isClosable =
      this.#expectation === 'separator' || this.#expectation === (isList ? 'firstItem' : 'firstKey');
    if (frame === undefined || !isClosable || Array.isArray(frame.container) !== isList) {
      this.#fail(where, `${isList ? ']' : '}'} is not expected here`);
    }
    this.#frames.pop();
    this.#deliver(frame.container);
  }

  #beginValue(byte: number, chunk: Buffer, at: number): number {
    const where = this.#offset + at;
    const isKey = this.#expectsKey;
    if (!isKey && this.#expectation !== 'value' && this.#expectation !== 'firstItem') {
      this.#fail(where, 'a value is not expected here');
    }
    if (isKey && byte !== QUOTE) this.#fail(where, 'a key in quotes is expected here');
    const isContainer = byte === OPEN_BRACE || byte === OPEN_BRACKET;
    if (isContainer && this.#frames.length < OPEN_LEVELS) {
      this.#frames.push({ container: byte === OPEN_BRACE ? {} : [], key: '' });
      this.#expectation = byte === OPEN_BRACE ? 'firstKey' : 'firstItem';
      return at + 1;
    }
    this.#piece.begin(byte, where);
    return this.#continuePiece(chunk, at);
  }

  #continuePiece(chunk: Buffer, at: number): number {
    const end = this.#piece.scan(chunk, at);
    if (end === -1) return chunk.length;
    this.#takePiece(this.#piece.finish());
    return end;
  }

  #takePiece(bytes: Buffer): void {
    const value = this.#parse(bytes);
    if (!this.#expectsKey) {
      this.#deliver(value);
      return;
    }
    // An own property of that name would become the prototype wherever the object is copied key by key.
    if (value === '__proto__') this.#fail(this.#piece.start, 'the key "__proto__" is not allowed');
    const frame = this.#frames.at(-1)!;
    frame.key = value as string;
    this.#expectation = 'colon';
    // JSON.parse would take the last one: whoever wrote the first would never learn that it is gone.
    if (Object.hasOwn(frame.container, frame.key)) {
      this.#fail(this.#piece.start, 'the key is there twice', 'not acceptable');
    }
  }

  #parse(bytes: Buffer): unknown {
    if (!isUtf8(bytes)) this.#fail(this.#piece.start, 'the body is not UTF-8');
    const text = bytes.toString('utf8');
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      // The message of V8 can quote the body, and a body can hold a secret.
      const position = /at position (\d+)/.exec((error as Error).message)?.[1];
      this.#fail(this.#piece.start + Number(position ?? 0), 'the value is not valid JSON');
    }
    // A key can only be that name where the text holds it, or holds an escape.
    if ((text.includes('__proto__') || text.includes('\\u')) && holdsPrototypeKey(value)) {
      this.#fail(this.#piece.start, 'the key "__proto__" is not allowed');
    }
    return value;
  }

  #deliver(value: unknown): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) {
      this.#document = value;
      this.#expectation = 'nothing';
      return;
    }
    if (Array.isArray(frame.container)) frame.container.push(value);
    else frame.container[frame.key] = value;
    this.#expectation = 'separator';
  }

  #fail(byte: number, message: string, verdict = 'not valid JSON'): never {
    // Between two entries there is no key yet.
    const frames = this.#expectsKey ? this.#frames.slice(0, -1) : this.#frames;
    const pointer = frames
      .map(({ container, key }) => (Array.isArray(container) ? container.length : key))
      .reduce<string>(childPointer, '');
    const place = pointer === '' ? '' : `, at ${pointer}`;
    throw new JsonSyntaxError(`${verdict} (byte ${byte}${place}): ${message}`);
  }
}

function isWhitespace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** No deeper than the scanner lets a piece be. */
function holdsPrototypeKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(holdsPrototypeKey);
}
