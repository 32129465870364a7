import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { ERRORS } from '../core/errors.ts';
import { ControlError, type ControlEvent, type ControlPlane } from './control-plane.ts';

const MAX_STREAMS = 100;
/** Of those, for one token, or one subject of JWTs. */
const MAX_STREAMS_OF_ACTOR = 10;
/** What may wait for a client that does not read. */
const MAX_WAITING_BYTES = 1_048_576;

export interface StreamTiming {
  /** Proxies close connections on which nothing moves. */
  readonly heartbeatMs: number;
  /** So often the token is looked at again. */
  readonly recheckMs: number;
}

export const DEFAULT_STREAM_TIMING: StreamTiming = { heartbeatMs: 15_000, recheckMs: 30_000 };

interface Stream {
  readonly response: ServerResponse;
  readonly actor: string;
  readonly isStillAdmitted: () => Promise<boolean>;
}

/** The event streams that are open (server-sent events, HTML Standard §9.2): one subscription serves them all. */
export class EventStreams {
  readonly #controlPlane: ControlPlane;
  readonly #logger: Logger;
  readonly #timing: StreamTiming;
  readonly #streams = new Set<Stream>();
  #timers: readonly NodeJS.Timeout[] = [];
  #unsubscribe: (() => void) | null = null;

  constructor(controlPlane: ControlPlane, logger: Logger, timing: StreamTiming) {
    this.#controlPlane = controlPlane;
    this.#logger = logger;
    this.#timing = timing;
  }

  /** @throws ControlError where there are as many streams as there may be, in all or of this actor */
  requireRoom(actor: string): void {
    if (this.#streams.size >= MAX_STREAMS) {
      throw new ControlError(ERRORS.tooManyStreams, `${MAX_STREAMS} streams are open: close one of them`);
    }
    const ofActor = [...this.#streams].filter((stream) => stream.actor === actor).length;
    if (ofActor < MAX_STREAMS_OF_ACTOR) return;
    const detail = `${MAX_STREAMS_OF_ACTOR} streams of ${actor} are open: close one of them`;
    throw new ControlError(ERRORS.tooManyStreams, detail);
  }

  /** Takes over a response whose head is not out yet. `isStillAdmitted` is asked again and again. */
  open(response: ServerResponse, actor: string, isStillAdmitted: () => Promise<boolean>): void {
    const stream = { response, actor, isStillAdmitted };
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.on('close', () => this.#remove(stream));
    response.on('error', () => this.#remove(stream));
    this.#streams.add(stream);
    if (this.#streams.size === 1) this.#start();
    this.#write(stream, formatEvent('hello', this.#controlPlane.status()));
  }

  /** Ends all streams: at once where the client has read everything. */
  close(): void {
    for (const stream of [...this.#streams]) this.#end(stream);
  }

  #start(): void {
    const { heartbeatMs, recheckMs } = this.#timing;
    this.#unsubscribe = this.#controlPlane.subscribe((event) => this.#send(event));
    this.#timers = [
      setInterval(() => this.#writeToAll(':\n\n'), heartbeatMs),
      setInterval(() => this.#recheckAll(), recheckMs),
    ];
  }

  #stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  #send({ type, ...data }: ControlEvent): void {
    this.#writeToAll(formatEvent(type, data));
  }

  #writeToAll(text: string): void {
    for (const stream of this.#streams) this.#write(stream, text);
  }

  #write(stream: Stream, text: string): void {
    stream.response.write(text);
    if (stream.response.writableLength <= MAX_WAITING_BYTES) return;
    this.#logger.warn('an event stream was dropped: its client does not read');
    this.#remove(stream);
    stream.response.destroy();
  }

  #recheckAll(): void {
    for (const stream of this.#streams) void this.#recheck(stream);
  }

  async #recheck(stream: Stream): Promise<void> {
    // Not to be sure is not to be let in: the client may come again and is told why.
    const isAdmitted = await stream.isStillAdmitted().catch(() => false);
    if (!isAdmitted) this.#end(stream);
  }

  #end(stream: Stream): void {
    this.#remove(stream);
    const { response } = stream;
    // What the client has not taken by now, it may never take.
    if (response.writableLength === 0) response.end();
    else response.destroy();
  }

  #remove(stream: Stream): void {
    if (this.#streams.delete(stream) && this.#streams.size === 0) this.#stop();
  }
}

/** Without an id: nothing is replayed, so there would be nothing for a client to resume from. */
function formatEvent(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
