import type { Socket } from 'node:net';
import { MinimumRate } from '../core/policy/minimum-rate.ts';

const SENDING_WINDOW_MS = 5_000;
/**
 * The system says how far the client has read in steps of up to one and a half megabytes, once it has made its buffer
 * large: between two of them a client that reads 30 kB a second looks as if it read nothing for most of a minute.
 */
const READING_WINDOW_MS = 60_000;

/** Watches how fast a client sends its body and reads its answer, as long as it is the client that is waited for. */
export class ClientPace {
  readonly #socket: Socket;
  readonly #sending: MinimumRate;
  readonly #reading: MinimumRate;
  /** When it was first seen that all was written; -1 before. */
  #endedAtMs = -1;

  /** @param minBytesPerSecond 0: any pace will do */
  constructor(socket: Socket, minBytesPerSecond: number) {
    this.#socket = socket;
    this.#sending = new MinimumRate(minBytesPerSecond, SENDING_WINDOW_MS);
    this.#reading = new MinimumRate(minBytesPerSecond, READING_WINDOW_MS);
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
    if (allIsWritten && nowMs - this.#endedAtMs > READING_WINDOW_MS) return true;
    const { bytesRead, bytesWritten, writableLength } = this.#socket;
    const sendsTooSlowly = this.#sending.isTooSlow(bytesRead, isSending, nowMs);
    return this.#reading.isTooSlow(bytesWritten - writableLength, this.isReading, nowMs) || sendsTooSlowly;
  }
}
