import type { Redis } from 'ioredis';
import type { Delta } from '../../core/config/change.ts';
import type { HealthReport } from '../../core/health/health-report.ts';
import type { RateDemand } from '../../core/policy/rate-demand.ts';
import type { InstanceRecord } from '../shared-state.ts';
import { parseEvent } from './event-message.ts';
import { KeptConnection } from './kept-connection.ts';
import { parseRateMessage } from './rate-message.ts';
import { RedisDialer } from './redis-dialer.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { RedisSettings } from './redis-url.ts';
import { explainError, isReplyError, isUnusable } from './reply-error.ts';
import type { StoreStatus } from './store-status.ts';
import type { RedisNode } from './url-parts.ts';

export interface FeedListener {
  /** Something may have been missed, or was not understood. */
  onHint?(): void;
  /** Without this, a change is a hint. */
  onChange?(delta: Delta): void;
  onInstance?(record: InstanceRecord): void;
  onHealth?(reports: readonly HealthReport[]): void;
  onRateDemands?(instance: string, demands: readonly RateDemand[]): void;
}

/**
 * Listens to what is published, on a connection of its own, made when somebody listens for the first time.
 * In a cluster any node will do: they pass on to each other what is published.
 */
export class EventFeed {
  readonly #channels: Pick<RedisKeys, 'events' | 'rates'>;
  readonly #settings: RedisSettings;
  readonly #dialer: RedisDialer;
  readonly #connection: KeptConnection;
  readonly #listeners: FeedListener[] = [];

  constructor(settings: RedisSettings, channels: Pick<RedisKeys, 'events' | 'rates'>, status: StoreStatus) {
    this.#settings = settings;
    this.#channels = channels;
    this.#dialer = new RedisDialer(settings);
    this.#connection = new KeptConnection(settings, this.#dialer, {
      prepare: (client) => this.#subscribe(client),
      probe: (client) => this.#probe(client),
      onUp: () => {
        status.setFeedProblem(null);
        this.hint();
      },
      onDown: (problem) => status.setFeedProblem(`changes are noticed late, as nobody tells: ${problem}`),
    });
  }

  listen(listener: FeedListener): void {
    this.#listeners.push(listener);
    this.#connection.start();
  }

  learn(nodes: readonly RedisNode[]): void {
    this.#dialer.learn(nodes);
  }

  /** Tells everybody that something may have been missed; not within the caller, whose work that is not. */
  hint(): void {
    for (const listener of this.#listeners) queueMicrotask(() => listener.onHint?.());
  }

  async close(): Promise<void> {
    this.#listeners.length = 0;
    await this.#connection.close();
  }

  async #subscribe(client: Redis): Promise<void> {
    const { events, rates } = this.#channels;
    client.on('message', (channel: string, text: string) => {
      if (channel === rates) this.#dispatchRates(text);
      else this.#dispatch(text);
    });
    await client.subscribe(events, rates);
  }

  async #probe(client: Redis): Promise<string | null> {
    try {
      await client.ping();
      return null;
    } catch (error) {
      return isReplyError(error) && isUnusable(error) ? explainError(error, this.#settings) : null;
    }
  }

  #dispatch(text: string): void {
    const event = parseEvent(text);
    if (event === null) return;
    for (const listener of [...this.#listeners]) {
      if (event.type === 'instance') listener.onInstance?.(event.record);
      else if (event.type === 'health') listener.onHealth?.(event.reports);
      else if (event.delta !== null && listener.onChange !== undefined) listener.onChange(event.delta);
      else listener.onHint?.();
    }
  }

  #dispatchRates(text: string): void {
    const message = parseRateMessage(text);
    if (message === null) return;
    for (const listener of this.#listeners) listener.onRateDemands?.(message.instance, message.demands);
  }
}
