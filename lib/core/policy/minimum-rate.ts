/**
 * Tells whether a peer that we wait for moves fewer bytes than a minimum, window by window: so that neither a
 * fast beginning pays for a trickle, nor a pause of our own is held against the peer.
 */
export class MinimumRate {
  readonly #windowMs: number;
  readonly #minBytes: number;
  #lastMs = -1;
  #countedMs = 0;
  #bytesAtStart = 0;

  /**
   * @param bytesPerSecond 0 asks for nothing
   * @param windowMs the time that is looked at as a whole: who pauses for less is not slow
   */
  constructor(bytesPerSecond: number, windowMs: number) {
    this.#windowMs = windowMs;
    this.#minBytes = (bytesPerSecond * windowMs) / 1_000;
  }

  /**
   * Notes how far the peer is; to be called several times a second.
   * @param bytes moved in all so far
   * @param waiting whether it is this peer that is waited for now
   * @returns true where it is too slow
   */
  isTooSlow(bytes: number, waiting: boolean, nowMs: number): boolean {
    if (this.#minBytes === 0) return false;
    if (this.#lastMs < 0) this.#bytesAtStart = bytes;
    else if (waiting) this.#countedMs += nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (this.#countedMs < this.#windowMs) return false;
    const isSlow = bytes - this.#bytesAtStart < this.#minBytes;
    this.#countedMs = 0;
    this.#bytesAtStart = bytes;
    return isSlow;
  }
}
