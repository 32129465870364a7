const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** A configuration is some ten levels deep; what is nested deeper could overflow the stack of whoever walks it. */
const MAX_DEPTH = 100;

type PieceKind = 'string' | 'container' | 'scalar';

/**
 * Finds where one JSON value ends, over as many chunks as it takes, and gathers its bytes. It only counts
 * brackets and quotes: whether the bytes are JSON, JSON.parse says afterwards.
 */
export class JsonPieceScanner {
  isOpen = false;
  /** Where the value starts in the body, in bytes. */
  start = 0;
  #kind: PieceKind = 'scalar';
  #depth = 0;
  #inString = false;
  #escaped = false;
  #parts: Buffer[] = [];

  /** A value starts with this byte, which is the next one that `scan` gets. */
  begin(byte: number, start: number): void {
    this.isOpen = true;
    this.start = start;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#parts = [];
    if (byte === QUOTE) this.#kind = 'string';
    else this.#kind = byte === OPEN_BRACE || byte === OPEN_BRACKET ? 'container' : 'scalar';
  }

  /** Returns the index after the value's last byte, -1 where the chunk does not hold it. */
  scan(chunk: Buffer, from: number): number {
    const end = this.#kind === 'scalar' ? findScalarEnd(chunk, from) : this.#findEnd(chunk, from);
    this.#parts.push(chunk.subarray(from, end === -1 ? chunk.length : end));
    return end;
  }

  /** The bytes of the value. */
  finish(): Buffer {
    const [first] = this.#parts;
    const bytes = first !== undefined && this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.isOpen = false;
    return bytes;
  }

  #findEnd(chunk: Buffer, from: number): number {
    // Local variables: this loop sees every byte of the body.
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
      // What is nested too deep ends here, in the middle of nowhere, where no parser will take it.
      if ((depth === 0 && !inString) || depth > MAX_DEPTH) return at + 1;
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    return -1;
  }
}

function findScalarEnd(chunk: Buffer, from: number): number {
  for (let at = from; at < chunk.length; at += 1) {
    const byte = chunk[at]!;
    if (byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) return at;
  }
  return -1;
}
