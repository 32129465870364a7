import type { RequestBody } from './request-body.ts';

const LINGER_MS = 2_000;
const LINGER_BYTES = 67_108_864;

/**
 * The answer is written, and the client still sends: what it sends is read for a while and thrown away. Closing a
 * socket with unread bytes would reset it, and the client would lose the answer (RFC 9112 §9.6).
 */
export class Lingering {
  readonly #body: RequestBody;
  readonly #sinceMs = performance.now();
  readonly #fromBytes: number;

  constructor(body: RequestBody) {
    this.#body = body;
    this.#fromBytes = body.receivedBytes;
    body.discard();
  }

  /** Whether the client has sent all, or more than anybody would read. */
  get isOver(): boolean {
    return this.#body.ended || this.#body.receivedBytes - this.#fromBytes > LINGER_BYTES;
  }

  isTooLong(nowMs: number): boolean {
    return nowMs - this.#sinceMs > LINGER_MS;
  }
}
