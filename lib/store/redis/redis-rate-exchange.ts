import type { RateDemand } from '../../core/policy/rate-demand.ts';
import type { RateExchange } from '../shared-state.ts';
import type { CommandConnection } from './command-connection.ts';
import type { EventFeed } from './event-feed.ts';
import { formatRateMessage } from './rate-message.ts';
import type { RedisKeys } from './redis-keys.ts';

/** Later than this nobody wants to know. */
const PUBLISH_LIMIT_MS = 500;

/** Demand for rate limits, on a channel of its own. */
export class RedisRateExchange implements RateExchange {
  readonly #connection: CommandConnection;
  readonly #feed: EventFeed;
  readonly #channel: string;

  constructor(connection: CommandConnection, feed: EventFeed, keys: RedisKeys) {
    this.#connection = connection;
    this.#feed = feed;
    this.#channel = keys.rates;
  }

  publish(instance: string, demands: readonly RateDemand[]): void {
    const text = formatRateMessage({ instance, demands });
    this.#connection
      .run((client) => client.publish(this.#channel, text), { limitMs: PUBLISH_LIMIT_MS })
      // The store says by itself that it is out of reach; demand that lasts is told again.
      .catch(() => {});
  }

  watch(onDemands: (instance: string, demands: readonly RateDemand[]) => void): void {
    this.#feed.listen({ onRateDemands: onDemands });
  }
}
