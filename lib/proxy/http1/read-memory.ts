/**
 * The memory that connections read into. Most of what comes is a small message, which is lent out of one buffer that
 * all connections of the worker share: reading it costs no allocation. In the midst of a large body a connection reads
 * into a large buffer of its own, and into the same one again, as long as what was read could be written at once:
 * memory anew for each read would cost more than all else that is done for such a body.
 */
const SHARED_BYTES = 65_536;
/** For bodies that come faster than they are read: fewer reads cost less. */
const LARGE_BYTES = 262_144;
/** What comes in smaller pieces is as well read into the shared buffer. */
const LEAST_WORTH_OWNING = 16_384;
/** How many buffers of each size wait for another use. */
const MOST_SPARE = 16;

/** Who lends pieces of what was read: they are valid until the reader returns, unless they are held. */
export interface Lender {
  /** Keeps a piece valid until it is released, or for ever. @returns the bytes to use in its place */
  hold(piece: Buffer): Buffer;
  /** What `hold` gave has no use any more. */
  release(held: Buffer): void;
}

/** Buffers of one size that are out of use. */
class SpareBuffers {
  readonly #bytes: number;
  readonly #spare: Buffer[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  giveBack(buffer: Buffer): void {
    if (this.#spare.length < MOST_SPARE) this.#spare.push(buffer);
  }
}

const largeOnes = new SpareBuffers(LARGE_BYTES);
const copies = new SpareBuffers(SHARED_BYTES);

/** Never written to but by a read, and never read from but before the next one. */
const shared = Buffer.allocUnsafeSlow(SHARED_BYTES);

/** The next read of any connection writes over what stands there: what is held is copied. */
const sharedLender: Lender = {
  hold(piece) {
    const copy = copies.take();
    piece.copy(copy);
    return copy.subarray(0, piece.length);
  },
  release(held) {
    copies.giveBack(Buffer.from(held.buffer));
  },
};

/** A large buffer of one connection. */
class OwnBuffer implements Lender {
  readonly bytes = largeOnes.take();
  #heldPieces = 0;

  /** Whether nothing of it is held, so that it can be read into again. */
  get isFree(): boolean {
    return this.#heldPieces === 0;
  }

  hold(piece: Buffer): Buffer {
    this.#heldPieces += 1;
    return piece;
  }

  release(): void {
    this.#heldPieces -= 1;
  }
}

/** Where one connection reads. */
export class ReadMemory {
  #own: OwnBuffer | null = null;
  #lastBytes = 0;

  /** Where the next bytes go. @param expectsMuch whether a large part of a body is still to come */
  next(expectsMuch: boolean): Buffer {
    if (!expectsMuch || this.#lastBytes < LEAST_WORTH_OWNING) {
      if (this.#own?.isFree) largeOnes.giveBack(this.#own.bytes);
      this.#own = null;
      return shared;
    }
    if (this.#own?.isFree !== true) this.#own = new OwnBuffer();
    return this.#own.bytes;
  }

  /** Takes note of a read. @returns who lends what was read */
  lenderOf(byteCount: number): Lender {
    this.#lastBytes = byteCount;
    return this.#own ?? sharedLender;
  }
}
