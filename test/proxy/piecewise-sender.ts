/** Sends much, as fast as the other side takes it, and knows how much that was. */
import { eventually } from '../helpers/eventually.ts';
import type { GatewayProcess } from '../helpers/gateway-process.ts';

/** Something to send by: a raw client, or a connection of an origin. */
export interface ByteSink {
  send(bytes: Buffer): void;
  /** Resolves once all that was sent is with the kernel. */
  flushed(): Promise<void>;
}

const PIECE_BYTES = 1_000_000;
/** So many looks without a change mean that nothing moves. */
const STILL_LOOKS = 15;

export class PiecewiseSender {
  /** What the kernel has taken so far. */
  sentBytes = 0;
  /** Resolves once it has taken everything. */
  readonly finished: Promise<void>;

  /** Begins to send. A single large write would not do: Node counts it as unsent until its last byte is gone. */
  constructor(sink: ByteSink, bytes: Buffer) {
    this.finished = this.#send(sink, bytes);
  }

  async #send(sink: ByteSink, bytes: Buffer): Promise<void> {
    while (this.sentBytes < bytes.length) {
      const piece = bytes.subarray(this.sentBytes, this.sentBytes + PIECE_BYTES);
      sink.send(piece);
      await sink.flushed();
      this.sentBytes += piece.length;
    }
  }

  /** Waits until nothing more is taken, or all of it was. The worker is asked in between, so it is not just slow. */
  async waitUntilStuck({ gateway }: { readonly gateway: GatewayProcess }): Promise<void> {
    let looks = 0;
    let last = -1;
    await eventually(async () => {
      await gateway.metrics();
      looks = this.sentBytes === last ? looks + 1 : 0;
      last = this.sentBytes;
      if (looks < STILL_LOOKS) throw new Error('the sender never gets stuck');
    });
  }
}
