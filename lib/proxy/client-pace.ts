import type { Socket } from 'node:net';
import { MinimumRate } from '../core/policy/minimum-rate.ts';

/** An answer that is complete on our side must be read by the client within this. */
const READ_LIMIT_MS = 60_000;

/** Watches how fast a client sends its body and reads its answer, as long as it is the client that is waited for. */
export class ClientPace {
  readonly #socket: Socket;
  readonly #rate: MinimumRate;
  /** When it was first seen that all was written; -1 before. */
  #endedAtMs = -1;

  /** @param minBytesPerSecond 0: any pace will do */
  constructor(socket: Socket, minBytesPerSecond: number) {
    this.#socket = socket;
    this.#rate = new MinimumRate(minBytesPerSecond);
  }

  /** Whether something waits in our buffers for the client to read it. */
  get isReading(): boolean {
    return this.#socket.writableLength > 0;
  }

  /**
   * To be asked several times a second.
   * @param isSending whether the client has to send
   * @param allIsWritten whether it has only to read what is written
   */
  isTooSlow(isSending: boolean, allIsWritten: boolean, nowMs: number): boolean {
    if (allIsWritten && this.#endedAtMs < 0) this.#endedAtMs = nowMs;
    if (allIsWritten && nowMs - this.#endedAtMs > READ_LIMIT_MS) return true;
    const { bytesRead, bytesWritten, writableLength } = this.#socket;
    const bytes = bytesRead + bytesWritten - writableLength;
    return this.#rate.isTooSlow(bytes, isSending || this.isReading, nowMs);
  }
}
