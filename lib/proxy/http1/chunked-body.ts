/** A body in chunks (RFC 9112 §7.1), read strictly. */
import { isLineEnd, readFieldLines } from './field-lines.ts';
import { MessageError } from './message-error.ts';
import { SectionReader } from './section-reader.ts';

const MAX_TRAILER_BYTES = 16_384;
/** Of all chunks together: who sends a kilobyte of them with each byte only wants to be read (CVE-2023-39326). */
const MAX_EXTENSION_BYTES = 16_384;
/** 2^48 bytes; more digits could not be added up exactly. */
const MAX_SIZE_DIGITS = 12;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;
const COMPLETE = 7;
type State = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const TAB = 0x09;

/** Before the trailer section the end of the line before counts: without trailers the empty line follows at once. */
const CRLF = Buffer.from('\r\n', 'latin1');

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/.source;
const QUOTED = /"(?:[\t\x20-\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"/.source;
/** `;name`, `; name = value`, `;name="value"` (RFC 9112 §7.1.1): of no use to anybody, but a quote left open is a trap. */
const EXTENSIONS = new RegExp(`^(?:[ \\t]*;[ \\t]*${TOKEN}(?:[ \\t]*=[ \\t]*(?:${TOKEN}|${QUOTED}))?)*$`);

/** The value of a hexadecimal digit; -1 for any other byte. */
function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

export class ChunkedBody {
  /** Made where it is needed. */
  #trailerReader: SectionReader | null = null;
  #state: State = SIZE;
  #digits = 0;
  #size = 0;
  /** Those of the chunk that begins, in Latin-1. */
  #extensions = '';
  #extensionBytes = 0;
  /** Flat; valid once the body is complete. */
  trailers: string[] = [];

  get isComplete(): boolean {
    return this.#state === COMPLETE;
  }

  /** Reads nothing more, as if the body were complete; within `onData` too. */
  stop(): void {
    this.#state = COMPLETE;
  }

  /**
   * Reads on from `start`, to the end of the body or of the bytes.
   * @param onData gets the data of each chunk, or what has come of it
   * @returns behind the last byte that was read
   * @throws MessageError
   */
  read(bytes: Buffer, start: number, onData: (data: Buffer) => void): number {
    let at = start;
    while (at < bytes.length && this.#state !== COMPLETE) {
      if (this.#state === DATA) at = this.#readData(bytes, at, onData);
      else if (this.#state === TRAILERS) at = this.#readTrailers(bytes, at);
      else {
        this.#readFraming(bytes[at]!);
        at += 1;
      }
    }
    return at;
  }

  #readData(bytes: Buffer, at: number, onData: (data: Buffer) => void): number {
    const end = Math.min(bytes.length, at + this.#size);
    this.#size -= end - at;
    if (this.#size === 0) this.#state = DATA_CR;
    onData(bytes.subarray(at, end));
    return end;
  }

  #readFraming(byte: number): void {
    switch (this.#state) {
      case SIZE:
        this.#readSize(byte);
        break;
      case EXTENSION:
        this.#readExtension(byte);
        break;
      case SIZE_LF:
        expect(byte, LF);
        this.#beginChunk();
        break;
      case DATA_CR:
        expect(byte, CR);
        this.#state = DATA_LF;
        break;
      case DATA_LF:
        expect(byte, LF);
        this.#state = SIZE;
        break;
    }
  }

  #readSize(byte: number): void {
    const value = hexValue(byte);
    if (value >= 0 && this.#digits < MAX_SIZE_DIGITS) {
      this.#size = this.#size * 16 + value;
      this.#digits += 1;
    } else if (this.#digits > 0 && byte === CR) {
      this.#state = SIZE_LF;
    } else if (this.#digits > 0 && byte === SEMICOLON) {
      this.#state = EXTENSION;
      this.#extensions = ';';
    } else {
      throw new MessageError('a chunk size that is no hexadecimal number, or too large');
    }
  }

  #readExtension(byte: number): void {
    if (byte === CR) {
      if (!EXTENSIONS.test(this.#extensions)) throw new MessageError('a malformed chunk extension');
      this.#state = SIZE_LF;
      return;
    }
    if ((byte < 0x20 && byte !== TAB) || byte === 0x7f)
      throw new MessageError('a control character in a chunk extension');
    this.#extensionBytes += 1;
    if (this.#extensionBytes > MAX_EXTENSION_BYTES)
      throw new MessageError(`more than ${MAX_EXTENSION_BYTES} bytes of chunk extensions`);
    this.#extensions += String.fromCharCode(byte);
  }

  #beginChunk(): void {
    this.#digits = 0;
    this.#state = this.#size > 0 ? DATA : TRAILERS;
  }

  #readTrailers(bytes: Buffer, at: number): number {
    if (this.#trailerReader === null) {
      if (isLineEnd(bytes, at)) {
        this.#state = COMPLETE;
        return at + CRLF.length;
      }
      this.#trailerReader = new SectionReader(MAX_TRAILER_BYTES, 'trailer section', this.#takeTrailers);
      this.#trailerReader.read(CRLF, 0);
    }
    const end = this.#trailerReader.read(bytes, at);
    return end === -1 ? bytes.length : end;
  }

  readonly #takeTrailers = (bytes: Buffer, start: number, end: number): void => {
    this.trailers = readFieldLines(bytes, start + CRLF.length, end);
    this.#state = COMPLETE;
  };
}

function expect(byte: number, expected: number): void {
  if (byte !== expected) throw new MessageError('a chunk that does not end where its size says');
}
