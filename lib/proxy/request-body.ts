/**
 * The body of a client's request on its way to the origin. It outlives attempts: each opens it anew.
 *
 *   ClientRequest ──► RequestBody ──► engine (one sink an attempt)
 *                      └ remembers the first bytes, while a retry could still need them
 */
import type { BodyTaker, ClientRequest } from './client-request.ts';
import type { Lender } from './http1/read-memory.ts';
import type { BodySink, BodySource } from './upstream.ts';

/** Bodies up to this size can be sent again. */
export const REPLAY_LIMIT_BYTES = 65_536;

export interface RequestBodyOwner {
  /** Bytes came in from the client or went on to the origin: the exchange is not idle. */
  onBodyProgress(): void;
  /** The body is larger than the route allows. */
  onBodyTooLarge(): void;
}

export class RequestBody implements BodySource, BodyTaker {
  readonly #request: ClientRequest;
  readonly #owner: RequestBodyOwner;
  readonly #maxBytes: number;
  readonly #replayLimitBytes: number;
  #remembered: Buffer[] | null = [];
  #sink: BodySink | null = null;
  #received = 0;
  #ended = false;

  /**
   * @param maxBytes Infinity where there is no limit
   * @param replayLimitBytes how much is remembered for another attempt; 0 where none could follow
   */
  constructor(request: ClientRequest, maxBytes: number, replayLimitBytes: number, owner: RequestBodyOwner) {
    this.#request = request;
    this.#replayLimitBytes = replayLimitBytes;
    this.#maxBytes = maxBytes;
    this.#owner = owner;
  }

  get receivedBytes(): number {
    return this.#received;
  }

  /** True while it is the client that everyone waits for. */
  get waitsForClient(): boolean {
    return !this.#ended && this.#request.flows;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether another attempt can still send the whole body. */
  get replayable(): boolean {
    return this.#remembered !== null;
  }

  get isHere(): boolean {
    const isRemembered = this.#remembered !== null && this.#remembered.length > 0;
    return isRemembered || this.#request.hasKept || this.#request.complete;
  }

  open(sink: BodySink): void {
    this.#sink = sink;
    for (const chunk of this.#remembered ?? []) sink.onBodyData(chunk, null);
    if (this.#ended) sink.onBodyEnd();
    else this.pull(sink);
  }

  /** Once the response has begun no other attempt follows: stop remembering. */
  forget(): void {
    this.#remembered = null;
  }

  /** Reads on without keeping anything, so that a client that is still sending gets to read its answer. */
  discard(): void {
    this.#sink = null;
    this.forget();
    this.#request.flowTo(this);
  }

  pull(sink: BodySink): void {
    if (sink !== this.#sink || this.#ended) return;
    this.#owner.onBodyProgress();
    this.#request.flowTo(this);
  }

  detach(sink: BodySink): void {
    if (sink !== this.#sink) return;
    this.#sink = null;
    if (!this.#ended) this.#request.pause();
  }

  onData(chunk: Buffer, lender: Lender | null): void {
    this.#received += chunk.length;
    this.#owner.onBodyProgress();
    if (this.#received > this.#maxBytes && this.#sink !== null) {
      // Nobody may take what has come of it for the whole.
      this.#sink = null;
      this.#owner.onBodyTooLarge();
      return;
    }
    this.#remember(chunk, lender);
    if (this.#sink !== null && !this.#sink.onBodyData(chunk, lender)) this.#request.pause();
  }

  #remember(chunk: Buffer, lender: Lender | null): void {
    if (this.#remembered === null) return;
    if (this.#received > this.#replayLimitBytes) this.#remembered = null;
    else this.#remembered.push(lender === null ? chunk : Buffer.from(chunk));
  }

  onEnd(): void {
    this.#ended = true;
    this.#owner.onBodyProgress();
    this.#sink?.onBodyEnd();
  }
}
