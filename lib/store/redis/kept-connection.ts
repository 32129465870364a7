import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { withinLimit } from '../time-limit.ts';
import { watchHeartbeat } from './heartbeat.ts';
import { destroyClient, openClient } from './redis-client.ts';
import type { RedisDialer } from './redis-dialer.ts';
import type { RedisSettings } from './redis-url.ts';
import { describeError, movedTo } from './reply-error.ts';

const PREPARE_LIMIT_MS = 2_000;
const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;
/** A cluster whose nodes point at each other in circles is asked again after a delay. */
const MAX_REDIRECTIONS = 5;

/** What a connection is for. */
export interface ConnectionPurpose {
  /** Makes a new connection ready for use. @throws where it cannot be used */
  prepare(client: Redis): Promise<void>;
  /** Sends something that is answered at once; resolves with why the connection is to be given up, or null. */
  probe(client: Redis): Promise<string | null>;
  onUp(client: Redis): void;
  /** Called after every attempt that failed, too. */
  onDown(problem: string): void;
}

/** Keeps a connection up: where it ends, is refused or falls silent, another one is made. */
export class KeptConnection {
  readonly #settings: RedisSettings;
  readonly #dialer: RedisDialer;
  readonly #purpose: ConnectionPurpose;
  readonly #closing = new AbortController();
  #client: Redis | null = null;
  #giveUp: (why: string) => void = () => {};
  #longRequests = 0;
  #running: Promise<void> | null = null;

  constructor(settings: RedisSettings, dialer: RedisDialer, purpose: ConnectionPurpose) {
    this.#settings = settings;
    this.#dialer = dialer;
    this.#purpose = purpose;
  }

  /** The client, while it is connected and ready for use. */
  get client(): Redis | null {
    return this.#client;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** A long request begins: until its end the server is not expected to answer anything else. */
  beginLongRequest(): void {
    this.#longRequests += 1;
  }

  endLongRequest(): void {
    this.#longRequests -= 1;
  }

  /** Ends the connection that is up now; another one is made. */
  giveUp(why: string): void {
    this.#giveUp(why);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    let redirections = 0;
    while (!this.#closing.signal.aborted) {
      const outcome = await this.#connectOnce();
      if (this.#closing.signal.aborted) return;
      if (outcome === 'redirected' && redirections < MAX_REDIRECTIONS) {
        redirections += 1;
        continue;
      }
      redirections = 0;
      failures = outcome === 'lost' ? 0 : failures + 1;
      await this.#pause(failures);
    }
  }

  /** Lives through one connection. */
  async #connectOnce(): Promise<'lost' | 'failed' | 'redirected'> {
    const client = this.#dialer.dial();
    const destroy = () => destroyClient(client);
    this.#closing.signal.addEventListener('abort', destroy);
    try {
      await openClient(client, this.#settings, this.#closing.signal);
      await withinLimit(this.#purpose.prepare(client), PREPARE_LIMIT_MS);
      this.#noteDown(await this.#liveWith(client));
      return 'lost';
    } catch (error) {
      const owner = movedTo(error);
      if (owner !== null) this.#dialer.redirect(owner);
      else this.#dialer.turn();
      if (owner === null) this.#noteDown(describeError(error, this.#settings));
      return owner === null ? 'failed' : 'redirected';
    } finally {
      this.#closing.signal.removeEventListener('abort', destroy);
      destroy();
    }
  }

  /** Resolves with why the connection is over. */
  async #liveWith(client: Redis): Promise<string> {
    const end = new AbortController();
    const ended = new Promise<string>((resolve) => {
      this.#giveUp = resolve;
      client.once('close', () => resolve('the connection was closed'));
    });
    if (client.status !== 'ready') throw new Error('the connection was closed');
    this.#client = client;
    this.#purpose.onUp(client);
    const probe = () => this.#purpose.probe(client);
    const silent = watchHeartbeat(client, probe, () => this.#longRequests > 0, end.signal);
    silent.catch(() => {});
    try {
      return describeError(new Error(await Promise.race([ended, silent])), this.#settings);
    } finally {
      this.#client = null;
      end.abort();
    }
  }

  #noteDown(problem: string): void {
    if (!this.#closing.signal.aborted) this.#purpose.onDown(problem);
  }

  /** Jittered, so that many gateways do not come back at the same moment. */
  async #pause(failures: number): Promise<void> {
    const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
    const pauseMs = FIRST_DELAY_MS + Math.random() * (longest - FIRST_DELAY_MS);
    await delay(pauseMs, null, { signal: this.#closing.signal }).catch(() => {});
  }
}
