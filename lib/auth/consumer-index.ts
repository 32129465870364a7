import type { Consumer } from '../core/config/model.ts';
import { canBeApiKey, digestOfApiKey, parseKeyHash } from './api-key.ts';
import { CostTally } from './cost-tally.ts';
import type { ScryptCost } from './password-hash.ts';
import { RivalTable } from './rival-table.ts';

/** The header that tells origins which consumer sends a request. No client may send it. */
export const CONSUMER_ID_HEADER = 'x-consumer-id';

/** A consumer, as it is known once a request was found to come from it. */
export interface KnownConsumer {
  readonly id: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
}

/** A user name of a consumer. */
export interface KnownUser {
  readonly consumer: KnownConsumer;
  /** Of the password; see PasswordHash. */
  readonly hash: string;
}

/** What a consumer is found by. */
interface Entry {
  readonly consumer: KnownConsumer;
  /** SHA-256, in hexadecimal digits. */
  readonly keyDigests: readonly string[];
  /** From user name to the hash of the password. */
  readonly users: ReadonlyMap<string, KnownUser>;
}

/**
 * The consumers of one table, found by API key and by user name. Of several with one key or one user name the
 * one with the least id is found, in whatever order they came.
 */
export class ConsumerIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #byDigest = new RivalTable<KnownConsumer>();
  readonly #byUsername = new RivalTable<KnownUser>();
  readonly #costs = new CostTally();

  get size(): number {
    return this.#entries.size;
  }

  /** What the costliest password takes to verify. */
  get highestCost(): ScryptCost {
    return this.#costs.highest;
  }

  /** Adds a consumer, or replaces the one with this id. Costs what the two have. */
  put(id: string, consumer: Consumer): void {
    this.delete(id);
    this.#add(id, entryOf(id, consumer));
  }

  /** Takes a consumer out; does nothing where there is none. */
  delete(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    for (const digest of entry.keyDigests) this.#byDigest.remove(digest, id);
    for (const [username, { hash }] of entry.users) {
      this.#byUsername.remove(username, id);
      this.#costs.remove(hash);
    }
  }

  /** Takes over all consumers of another index, into this empty one, one a step. The other must not change meanwhile. */
  *copy(other: ConsumerIndex): Generator<undefined, void> {
    for (const [id, entry] of other.#entries) {
      this.#add(id, entry);
      yield;
    }
  }

  /**
   * The consumer that a key belongs to. Only the digest of the key is looked up: what the time taken could tell
   * is of a digest, which leads to no key.
   */
  findByApiKey(key: string): KnownConsumer | null {
    return canBeApiKey(key) ? this.#byDigest.find(digestOfApiKey(key)) : null;
  }

  /** @param username normalised to NFC */
  findByUsername(username: string): KnownUser | null {
    return this.#byUsername.find(username);
  }

  #add(id: string, entry: Entry): void {
    this.#entries.set(id, entry);
    for (const digest of entry.keyDigests) this.#byDigest.add(digest, id, entry.consumer);
    for (const [username, user] of entry.users) {
      this.#byUsername.add(username, id, user);
      this.#costs.add(user.hash);
    }
  }
}

function entryOf(id: string, { apiKeys = [], passwords = [], scopes = [], roles = [] }: Consumer): Entry {
  const consumer = { id, scopes, roles };
  const digests = apiKeys.map((key) => parseKeyHash(key.hash));
  const users = new Map<string, KnownUser>();
  for (const { username, hash } of passwords) {
    const name = username.normalize('NFC');
    if (!users.has(name)) users.set(name, { consumer, hash });
  }
  return { consumer, keyDigests: [...new Set(digests)], users };
}
