/** Gathers what an empty line closes: the head of a message, or the trailer section of a chunked one. */
import { ResponseError } from './response-error.ts';

const EMPTY_LINE = Buffer.from('\r\n\r\n', 'latin1');
const SMALLEST_BUFFER = 1_024;

/** A line that does not end as lines do (RFC 9112 §2.2): what it separates, others may read as one. */
const BARE_LINE_FEED = /(?:^|[^\r])\n/;

export class SectionReader {
  readonly #maxBytes: number;
  readonly #name: string;
  /** What has come of a section whose end has not; grows by doubling, so that many small pieces cost what they are. */
  #kept: Buffer | null = null;
  #keptBytes = 0;
  /** The section in Latin-1, its last line with CRLF, but without the empty line. Valid once `read` has found its end. */
  text = '';

  /** @param name for the error where a section is longer than `maxBytes` */
  constructor(maxBytes: number, name: string) {
    this.#maxBytes = maxBytes;
    this.#name = name;
  }

  /** The beginning of what is kept, in Latin-1. */
  keptText(maxCharacters: number): string {
    return this.#kept?.toString('latin1', 0, Math.min(this.#keptBytes, maxCharacters)) ?? '';
  }

  get isEmpty(): boolean {
    return this.#keptBytes === 0;
  }

  /** Forgets what is kept, and begins a section with these bytes. */
  reset(bytes: Buffer | null): void {
    this.#kept = null;
    this.#keptBytes = 0;
    if (bytes !== null) this.#keep(bytes);
  }

  /**
   * Reads on from `start`.
   * @returns where the section ends, behind the empty line; -1 where that has not come, and all bytes are kept
   * @throws ResponseError where the section is too long
   */
  read(bytes: Buffer, start: number): number {
    return this.#keptBytes === 0 ? this.#readWhole(bytes, start) : this.#readOn(bytes, start);
  }

  /** Nearly always a section comes in one piece. */
  #readWhole(bytes: Buffer, start: number): number {
    const at = bytes.indexOf(EMPTY_LINE, start);
    if (at === -1) {
      this.#keep(start === 0 ? bytes : bytes.subarray(start));
      return -1;
    }
    this.#checkLength(at - start);
    this.text = bytes.toString('latin1', start, at + 2);
    return at + EMPTY_LINE.length;
  }

  #readOn(bytes: Buffer, start: number): number {
    const before = this.#keptBytes;
    this.#append(bytes.subarray(start));
    const kept = this.#kept!.subarray(0, this.#keptBytes);
    const at = kept.indexOf(EMPTY_LINE, Math.max(0, before - EMPTY_LINE.length + 1));
    if (at === -1) {
      this.#checkKept(before);
      return -1;
    }
    this.#checkLength(at);
    this.text = kept.toString('latin1', 0, at + 2);
    this.reset(null);
    return start + at + EMPTY_LINE.length - before;
  }

  #keep(bytes: Buffer): void {
    this.#append(bytes);
    this.#checkKept(0);
  }

  #append(bytes: Buffer): void {
    const needed = this.#keptBytes + bytes.length;
    if (this.#kept === null || needed > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(SMALLEST_BUFFER, 2 * needed));
      this.#kept?.copy(larger, 0, 0, this.#keptBytes);
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#keptBytes);
    this.#keptBytes = needed;
  }

  /** At once, as an end that never comes would otherwise be waited for. */
  #checkKept(before: number): void {
    this.#checkLength(this.#keptBytes);
    const added = this.#kept!.toString('latin1', Math.max(0, before - 1), this.#keptBytes);
    if (BARE_LINE_FEED.test(added)) throw new ResponseError(`a line of the ${this.#name} ends without CR`);
  }

  #checkLength(bytes: number): void {
    if (bytes > this.#maxBytes)
      throw new ResponseError(`the ${this.#name} is longer than ${this.#maxBytes} bytes`);
  }
}
