import type { RateDemand } from '../../core/policy/rate-demand.ts';
import type { RateExchange } from '../shared-state.ts';
import type { CommandConnection } from './command-connection.ts';
import type { EventFeed } from './event-feed.ts';
import { formatRateMessage } from './rate-message.ts';
import type { RedisKeys } from './redis-keys.ts';

/** Later than this nobody wants to know. */
const PUBLISH_LIMIT_MS = 500;

/** What no secret is, somebody else wrote. */
const SECRET = /^[!-~]{16,256}$/;

/** Demand for rate limits, on a channel of its own. */
export class RedisRateExchange implements RateExchange {
  readonly #connection: CommandConnection;
  readonly #feed: EventFeed;
  readonly #channel: string;
  readonly #secretKey: string;

  constructor(connection: CommandConnection, feed: EventFeed, keys: RedisKeys) {
    this.#connection = connection;
    this.#feed = feed;
    this.#channel = keys.rates;
    this.#secretKey = keys.rateSecret;
  }

  /** Of several instances that write one at a time, all take the first. What is none is replaced. */
  async agreeOnSecret(proposed: string): Promise<string> {
    const kept = await this.#readSecret();
    if (kept !== null) return kept;
    const written = await this.#connection.run((client) => client.set(this.#secretKey, proposed, 'NX'), {
      writes: true,
    });
    if (written !== null) return proposed;
    return (await this.#readSecret()) ?? this.#replaceSecret(proposed);
  }

  async #readSecret(): Promise<string | null> {
    // Where GET would fail, because something else is kept there, MGET says that there is nothing.
    const [text] = await this.#connection.run((client) => client.mget(this.#secretKey));
    return SECRET.test(text ?? '') ? (text ?? null) : null;
  }

  async #replaceSecret(secret: string): Promise<string> {
    await this.#connection.run((client) => client.set(this.#secretKey, secret), { writes: true });
    return secret;
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
