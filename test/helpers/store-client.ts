/** A console that writes to Redis by itself, past the gateways. */
import { randomUUID } from 'node:crypto';
import type { Head, Operation } from '../../lib/core/config/change.ts';
import { loadDocument } from '../../lib/core/config/load-document.ts';
import { PUBLISH_SCRIPT } from '../../lib/store/redis/publish-script.ts';
import { keysWithPrefix } from '../../lib/store/redis/redis-keys.ts';
import { RedisStore } from '../../lib/store/redis/redis-store.ts';
import { eventually } from './eventually.ts';
import type { Agreement } from './fleet.ts';
import type { RedisProcess } from './redis-server.ts';
import type { TestOwner } from './test-owner.ts';

const PREFIX = '{gateway}:';
const KEYS = keysWithPrefix(PREFIX);
const LOG_LENGTH = 10_000;
const LOG_BYTES = 134_217_728;
const MAX_MESSAGE = 65_536;

/** A store on the Redis of a fleet; it is closed with the test. */
export async function openStore(owner: TestOwner, redis: RedisProcess): Promise<RedisStore> {
  const store = await RedisStore.open(redis.settings(PREFIX));
  owner.teardown(() => store.close());
  return store;
}

/** Publishes as the gateway itself does, but without looking at what it publishes; repeats what could not be written. */
export function publish(store: RedisStore, ...operations: readonly Operation[]): Promise<Head> {
  return eventually(() => store.publish({ operations, actor: 'console', message: 'by hand' }));
}

/**
 * Runs the script of docs/redis-protocol.md by `redis-cli`: operations are not checked at all, as texts.
 * @param channel where the change is told; another one than the gateways listen to: a message that got lost
 */
export async function publishByHand(
  redis: RedisProcess,
  operations: readonly (readonly [kind: string, id: string, json: string])[],
  channel = KEYS.events,
): Promise<void> {
  const keys = [KEYS.head, KEYS.log, ...KEYS.collections];
  const limits = [LOG_LENGTH, LOG_BYTES, MAX_MESSAGE].map(String);
  await redis.command(
    ...['EVAL', PUBLISH_SCRIPT, String(keys.length), ...keys],
    ...['', '0', randomUUID(), new Date().toISOString(), 'console', 'by hand', randomUUID()],
    ...[...limits, channel, ...operations.flat()],
  );
}

/** Writes to the keys without the script: fields of the hash of a kind, then the head, as one step. */
export async function writeRaw(
  redis: RedisProcess,
  head: Head,
  commands: readonly (readonly string[])[],
): Promise<Head> {
  const next = {
    revision: head.revision + 1,
    id: randomUUID(),
    parent: head.id,
    at: new Date().toISOString(),
  };
  const fields = Object.entries({ ...next, revision: String(next.revision) }).flat();
  const all = [...commands, ['HSET', KEYS.head, ...fields]];
  const words = all.map((command) => `redis.call(${command.map((word) => luaText(word)).join(', ')})`);
  await redis.command(
    'EVAL',
    words.join('\n'),
    String(KEYS.collections.length + 1),
    KEYS.head,
    ...KEYS.collections,
  );
  return next;
}

function luaText(text: string): string {
  if (text.includes(']==]')) throw new Error('this text cannot be quoted');
  return `[==[${text}]==]`;
}

/** What Redis holds, its fingerprint made from what is read there. @throws Error where that is not valid */
export async function storedAgreement(store: RedisStore): Promise<Agreement> {
  const stored = await store.read();
  if (stored?.head === undefined) throw new Error('the store is empty');
  const loading = loadDocument(stored.document);
  let step = loading.next();
  while (step.done !== true) step = loading.next();
  const { table, problems } = step.value;
  if (table === null) throw new Error(`the store is not valid: ${JSON.stringify(problems)}`);
  const { revision, id } = stored.head;
  return { revision, id, fingerprint: table.fingerprint };
}
