import type { InstanceDirectory, InstanceRecord } from '../shared-state.ts';
import type { CommandConnection } from './command-connection.ts';
import type { EventFeed } from './event-feed.ts';
import { isInstanceRecord } from './event-message.ts';
import { ANNOUNCE_SCRIPT, LIST_INSTANCES_SCRIPT } from './instance-scripts.ts';
import { instanceKey, type RedisKeys } from './redis-keys.ts';

const MAX_INSTANCES = 10_000;
const MAX_RECORD_CHARACTERS = 1_048_576;
const RECORDS_AT_ONCE = 100;

/** The instances that share a Redis: each has a record that Redis forgets when it is not renewed. */
export class RedisInstanceDirectory implements InstanceDirectory {
  readonly #connection: CommandConnection;
  readonly #feed: EventFeed;
  readonly #prefix: string;
  readonly #keys: RedisKeys;

  constructor(connection: CommandConnection, feed: EventFeed, prefix: string, keys: RedisKeys) {
    this.#connection = connection;
    this.#feed = feed;
    this.#prefix = prefix;
    this.#keys = keys;
  }

  async announce(record: InstanceRecord, ttlMs: number): Promise<void> {
    const text = JSON.stringify(record);
    if (text.length > MAX_RECORD_CHARACTERS) {
      throw new RangeError(
        `the record of an instance has ${text.length} characters, the limit is ${MAX_RECORD_CHARACTERS}`,
      );
    }
    const { instance } = record;
    const keys = [this.#keys.instances, instanceKey(this.#prefix, instance)];
    const words = [instance, text, Math.max(1, Math.ceil(ttlMs)), this.#keys.events, MAX_INSTANCES];
    await this.#connection.run(
      (client) => client.call('EVAL', [ANNOUNCE_SCRIPT, keys.length, ...keys, ...words]),
      { writes: true },
    );
  }

  async list(): Promise<readonly InstanceRecord[]> {
    const instances = await this.#connection.run((client) =>
      client.call('EVAL', [LIST_INSTANCES_SCRIPT, 1, this.#keys.instances]),
    );
    const keys = (instances as string[]).map((instance) => instanceKey(this.#prefix, instance));
    const records: InstanceRecord[] = [];
    for (let first = 0; first < keys.length; first += RECORDS_AT_ONCE) {
      const batch = keys.slice(first, first + RECORDS_AT_ONCE);
      const texts = await this.#connection.run((client) => client.mget(batch));
      records.push(...texts.map(parseRecord).filter((record) => record !== null));
    }
    return records;
  }

  async withdraw(instance: string): Promise<void> {
    await this.#connection.run(
      (client) =>
        Promise.all([
          client.del(instanceKey(this.#prefix, instance)),
          client.zrem(this.#keys.instances, instance),
        ]),
      { writes: true },
    );
  }

  watch(onRecord: (record: InstanceRecord) => void): void {
    this.#feed.listen({ onInstance: onRecord });
  }
}

/** Null for a record that vanished meanwhile, or that is none. */
function parseRecord(text: string | null): InstanceRecord | null {
  try {
    const record: unknown = JSON.parse(text ?? '');
    return isInstanceRecord(record) ? record : null;
  } catch {
    return null;
  }
}
