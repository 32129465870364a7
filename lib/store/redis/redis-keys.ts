import { COLLECTIONS, KINDS } from '../../core/config/model.ts';

/** The names of all that a store keeps in Redis: see docs/redis-protocol.md. */
export interface RedisKeys {
  /** Where the configuration stands. */
  readonly head: string;
  /** The changes, as a stream. */
  readonly log: string;
  /** One hash a kind, in the order of `KINDS`. */
  readonly collections: readonly string[];
  readonly health: string;
  readonly instances: string;
  /** By which instances hash the keys of rate limits before they tell each other of them. */
  readonly rateSecret: string;
  /** Nothing is ever kept here: to write nothing to it tells whether writing is possible. */
  readonly probe: string;
  /** The channel on which news are published. */
  readonly events: string;
  /** The channel on which instances tell their demand for rate limits. */
  readonly rates: string;
}

/** @param prefix holds a hash tag such as `{gateway}:`, so that all keys live on one slot of a cluster */
export function keysWithPrefix(prefix: string): RedisKeys {
  return {
    head: `${prefix}head`,
    log: `${prefix}log`,
    collections: KINDS.map((kind) => prefix + COLLECTIONS[kind]),
    health: `${prefix}health`,
    instances: `${prefix}instances`,
    rateSecret: `${prefix}rate-secret`,
    probe: `${prefix}probe`,
    events: `${prefix}events`,
    rates: `${prefix}rates`,
  };
}

/** The key of the record of one instance. */
export function instanceKey(prefix: string, instance: string): string {
  return `${prefix}instance:${instance}`;
}
