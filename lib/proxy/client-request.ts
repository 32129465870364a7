/**
 * One request of a client: its head, and its body as it comes. What of the body nobody takes yet waits here, and the
 * connection is not read meanwhile.
 */
import type { RequestHead } from '../core/http/request-headers.ts';
import type { Lender } from './http1/read-memory.ts';
import type { ReadHead } from './http1/request-parser.ts';

/** Takes the body. */
export interface BodyTaker {
  /** @param lender whose memory it is: valid during the call only, unless it is held; null where it is nobody else's */
  onData(bytes: Buffer, lender: Lender | null): void;
  onEnd(): void;
}

/** What the request comes over. */
export interface RequestConnection {
  /** More of the body can be taken. */
  readOn(): void;
}

export class ClientRequest implements ReadHead {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly rawHeaders: string[];
  readonly head: RequestHead;
  readonly isWhole: boolean;
  readonly isFramed: boolean;
  readonly #connection: RequestConnection;
  #taker: BodyTaker | null = null;
  #flows = false;
  #endTold = false;
  #kept: Buffer[] = [];
  /** Whether all of it has come, be it taken or not. */
  complete: boolean;
  /** Flat; empty until it is complete. */
  rawTrailers: string[] = [];

  constructor(read: ReadHead, connection: RequestConnection) {
    this.method = read.method;
    this.target = read.target;
    this.version = read.version;
    this.rawHeaders = read.rawHeaders;
    this.head = read.head;
    this.isWhole = read.isWhole;
    this.isFramed = read.isFramed;
    this.complete = read.isWhole;
    this.#connection = connection;
  }

  /**
   * Whether more of the body would have to wait here. Once all of it has come nothing is held up by it: who takes none of
   * it need not say so, and the connection is read, so that the client is seen to go.
   */
  get isHeldUp(): boolean {
    return !this.#flows && !this.complete && this.#kept.length > 0;
  }

  /** Whether the taker takes what comes. */
  get flows(): boolean {
    return this.#flows;
  }

  /** Whether something of the body waits here. */
  get hasKept(): boolean {
    return this.#kept.length > 0;
  }

  // ---- what the connection reads ----

  /** @param lender whose memory it is: valid during the call only, unless it is held; null where it is nobody else's */
  push(bytes: Buffer, lender: Lender | null): void {
    if (this.#flows) this.#taker!.onData(bytes, lender);
    else this.#kept.push(lender === null ? bytes : Buffer.from(bytes));
  }

  finish(trailers: string[]): void {
    this.complete = true;
    this.rawTrailers = trailers;
    this.#tellEnd();
  }

  // ---- what the taker wants ----

  /** Gives the taker what has come and what comes, until `pause`; within the call, too. */
  flowTo(taker: BodyTaker): void {
    this.#taker = taker;
    if (this.#flows) return;
    this.#flows = true;
    while (this.#flows && this.#kept.length > 0) taker.onData(this.#kept.shift()!, null);
    this.#tellEnd();
    if (this.#flows) this.#connection.readOn();
  }

  pause(): void {
    this.#flows = false;
  }

  #tellEnd(): void {
    if (!this.complete || !this.#flows || this.#endTold) return;
    this.#endTold = true;
    this.#taker!.onEnd();
  }
}
