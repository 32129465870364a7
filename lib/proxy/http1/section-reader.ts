/** Gathers what an empty line closes: the head of a message, or the trailer section of a chunked one. */
import { GrowingBuffer } from './growing-buffer.ts';
import { MessageError, MessageTooLong } from './message-error.ts';

const EMPTY_LINE = Buffer.from('\r\n\r\n', 'latin1');
/** What of an empty line may be kept while it is not known for one. */
const UNFINISHED_EMPTY_LINE = EMPTY_LINE.length - 1;

const CR = 0x0d;
const LF = 0x0a;

/**
 * Gets a section as soon as it is whole: the bytes from `start` to `end`, its last line with CRLF, but without the
 * empty line. They are only lent.
 */
export type TakeSection = (bytes: Buffer, start: number, end: number) => void;

export class SectionReader {
  readonly #maxBytes: number;
  readonly #name: string;
  readonly #take: TakeSection;
  /** What has come of a section whose end has not. */
  readonly #kept = new GrowingBuffer();

  /** @param name for the error where a section is longer than `maxBytes`, its last line end not counted */
  constructor(maxBytes: number, name: string, take: TakeSection) {
    this.#maxBytes = maxBytes;
    this.#name = name;
    this.#take = take;
  }

  /** The beginning of what is kept, in Latin-1. */
  keptText(maxCharacters: number): string {
    return this.#kept.bytes.toString('latin1', 0, maxCharacters);
  }

  /** Forgets what is kept. */
  reset(): void {
    this.#kept.clear();
  }

  /**
   * Reads on from `start`.
   * @returns where the section ends, behind the empty line; -1 where that has not come, and all bytes are kept
   * @throws MessageTooLong, or MessageError where it has CR or LF alone
   */
  read(bytes: Buffer, start: number): number {
    return this.#kept.length === 0 ? this.#readWhole(bytes, start) : this.#readOn(bytes, start);
  }

  /** Nearly always a section comes in one piece. */
  #readWhole(bytes: Buffer, start: number): number {
    const at = bytes.indexOf(EMPTY_LINE, start);
    if (at === -1) {
      this.#keep(start === 0 ? bytes : bytes.subarray(start));
      return -1;
    }
    this.#checkLength(at - start);
    this.#take(bytes, start, at + 2);
    return at + EMPTY_LINE.length;
  }

  #readOn(bytes: Buffer, start: number): number {
    const before = this.#kept.length;
    this.#kept.append(start === 0 ? bytes : bytes.subarray(start));
    const kept = this.#kept.bytes;
    const at = kept.indexOf(EMPTY_LINE, Math.max(0, before - UNFINISHED_EMPTY_LINE));
    if (at === -1) {
      this.#checkKept(before);
      return -1;
    }
    this.#checkLength(at);
    this.reset();
    this.#take(kept, 0, at + 2);
    return start + at + EMPTY_LINE.length - before;
  }

  #keep(bytes: Buffer): void {
    this.#kept.append(bytes);
    this.#checkKept(0);
  }

  /** At once, as an end that never comes would otherwise be waited for. */
  #checkKept(before: number): void {
    const kept = this.#kept.bytes;
    this.#checkLength(kept.length - UNFINISHED_EMPTY_LINE);
    // What only one of the two separates (RFC 9112 §2.2) others may read as one line, or as two.
    for (let at = before; at < kept.length; at += 1) {
      if ((kept[at] === LF) !== (kept[at - 1] === CR))
        throw new MessageError(`CR or LF alone in the ${this.#name}`);
    }
  }

  #checkLength(bytes: number): void {
    if (bytes > this.#maxBytes)
      throw new MessageTooLong(`the ${this.#name} is longer than ${this.#maxBytes} bytes`);
  }
}
