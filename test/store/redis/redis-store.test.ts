import t, { type Test } from 'tap';
import type { Operation } from '../../../lib/core/config/change.ts';
import { COLLECTIONS } from '../../../lib/core/config/model.ts';
import {
  MalformedChangeError,
  RevisionConflictError,
  StoreUnavailableError,
  UnreadableStoreError,
} from '../../../lib/store/config-store.ts';
import { PUBLISH_SCRIPT } from '../../../lib/store/redis/publish-script.ts';
import { RedisStore, type RedisStoreOptions } from '../../../lib/store/redis/redis-store.ts';
import { startRedis } from '../../helpers/redis-server.ts';
import { changeOf, clusterAt, documentWith, putCluster, storeContract } from '../contract.ts';
import { StoreWatch } from './store-watch.ts';

const redis = await startRedis(t);
let places = 0;

interface Place {
  readonly store: RedisStore;
  /** The name of a key of the store. */
  readonly key: (name: string) => string;
  readonly open: (options?: RedisStoreOptions) => Promise<RedisStore>;
}

/** An empty place of its own on the one server. */
async function createPlace(t: Test, options?: RedisStoreOptions): Promise<Place> {
  places += 1;
  const prefix = `{place-${places}}:`;
  const open = async (more?: RedisStoreOptions): Promise<RedisStore> => {
    const store = await RedisStore.open(redis.settings(prefix), more);
    t.teardown(() => store.close());
    return store;
  };
  return { store: await open(options), key: (name) => prefix + name, open };
}

async function failureOf(work: Promise<unknown>): Promise<Error & { problems?: unknown }> {
  return work.then(
    () => new Error('it did not fail'),
    (error: Error) => error,
  );
}

t.test('keeps the contract of stores', async (t) => {
  storeContract(
    t,
    async (t) => {
      const place = await createPlace(t);
      return { open: () => place.open() };
    },
    { shared: true },
  );
});

t.test('says which store it is', async (t) => {
  const { store, key } = await createPlace(t);
  t.equal(store.kind, 'redis');
  t.equal(store.source, `redis:${redis.url} ${key('')}`);
});

t.test('values stay the texts that they are: empty lists, long numbers, any character', async (t) => {
  const { store, key } = await createPlace(t);
  const text = '{ "list":[],"nothing":{},"long":12345678901234567.25,"tiny":1e-300,"sign":"\\u0000é\\"/" }';
  const words = ['HSET', key('clusters'), 'a', text];
  await store.publish(changeOf([putCluster('b')]));
  await redis.command(...words);
  await store.publish(changeOf([putCluster('a')]));
  const [change] = await store.history(1);
  t.strictSame(change?.undo, [{ op: 'put', kind: 'cluster', id: 'a', value: JSON.parse(text) }]);
  await store.publish(changeOf(change?.undo ?? []));
  const document = (await store.read())?.document as { clusters: Record<string, unknown> };
  t.strictSame(document.clusters.a, JSON.parse(text));
});

t.test('actors, messages and ids of what is deleted may hold any character', async (t) => {
  const { store } = await createPlace(t);
  const watch = new StoreWatch(store);
  await watch.hintAfter(0);
  const actor = 'ada "\\ \u2028é\u0007';
  const odd: Operation = { op: 'delete', kind: 'route', id: 'no "id"\n' };
  await store.publish(changeOf([putCluster('a'), odd], { actor, message: 'x\r\n"' }));
  t.match(await store.history(1), [{ actor, message: 'x\r\n"', operations: [putCluster('a'), odd] }]);
  t.strictSame((await watch.deltaCount(1))[0]?.operations, [putCluster('a'), odd]);
});

t.test('the log is trimmed to its length, and what it does not reach back to is told so', async (t) => {
  const { store, key } = await createPlace(t, { logLength: 3 });
  for (let port = 1; port <= 5; port += 1) await store.publish(changeOf([putCluster('a', port)]));
  t.equal(await redis.command('XLEN', key('log')), '3');
  t.strictSame(
    (await store.history(10)).map(({ revision }) => revision),
    [5, 4, 3],
  );
  t.equal((await store.changesSince(2))?.length, 3);
  t.equal(await store.changesSince(1), null);
  t.equal(await store.changesSince(0), null);
});

t.test('the log is trimmed to its size, but keeps the newest change', async (t) => {
  const { store, key } = await createPlace(t, { logBytes: 1_000 });
  const revisions = async (): Promise<number[]> => (await store.history(10)).map(({ revision }) => revision);
  for (let port = 1; port <= 9; port += 1) await store.publish(changeOf([putCluster('a', port)]));
  const kept = await revisions();
  t.equal(kept[0], 9);
  t.ok(kept.length > 1 && kept.length < 6, `${kept.length} changes of some 200 bytes`);
  const bytes = Number(await redis.command('HGET', key('head'), 'logBytes'));
  t.ok(bytes > 500 && bytes <= 1_000, `${bytes} bytes`);
  await store.publish(changeOf([putCluster('large')], { message: 'x'.repeat(5_000) }));
  t.strictSame(await revisions(), [10]);
  await store.publish(changeOf([putCluster('small')]));
  t.strictSame(await revisions(), [11]);
});

t.test('where a large change filled the store again, counting and the log go on', async (t) => {
  const { store } = await createPlace(t, { logLength: 2 });
  await store.publish(changeOf([putCluster('a')]));
  await store.publish(changeOf([putCluster('b')]));
  await store.publish(changeOf([putCluster('c')], { revisionFloor: 50 }));
  t.equal((await store.changesSince(2))?.length, 1);
  t.equal((await store.changesSince(1))?.length, 2);
  await store.publish(changeOf([putCluster('d')]));
  t.equal(await store.changesSince(40), null, 'the change on which revision 51 was made is gone');
  t.equal((await store.changesSince(51))?.length, 1);
});

t.test('a large change is published without its operations, which the log has', async (t) => {
  const { store } = await createPlace(t, { maxMessageCharacters: 200 });
  const watch = new StoreWatch(store);
  await watch.hintAfter(0);
  await store.publish(changeOf([putCluster('small')]));
  await watch.deltaCount(1);
  const hints = watch.hints;
  await store.publish(changeOf([putCluster('one'), putCluster('two'), putCluster('three')]));
  await watch.hintAfter(hints);
  t.equal(watch.deltas.length, 1);
  t.equal((await store.changesSince(1))?.[0]?.operations.length, 3);
});

t.test('messages that are no news are hints, or nothing at all', async (t) => {
  const { store, key } = await createPlace(t);
  const watch = new StoreWatch(store);
  await watch.hintAfter(0);
  const garbage = [
    'garbage',
    '[]',
    '{}',
    '{"type":"change"}',
    '{"type":"change","revision":2,"id":"x","parent":null,"at":"now","ops":[{"op":"patch"}]}',
    '{"type":"change","revision":-1,"id":"x","parent":null,"at":"now","ops":[]}',
    JSON.stringify({ type: 'future', text: 'x'.repeat(1_100_000) }),
  ];
  for (const message of garbage) {
    const hints = watch.hints;
    await publishRaw(t, key('events'), message);
    await watch.hintAfter(hints);
  }
  const hints = watch.hints;
  await publishRaw(t, key('events'), '{"type":"future"}');
  await store.publish(changeOf([putCluster('a')]));
  await watch.deltaCount(1);
  t.equal(watch.hints, hints, 'a type that is yet to be invented is none of its business');
});

async function publishRaw(t: Test, channel: string, message: string): Promise<void> {
  // Longer than an argument of a process may be, so by a script.
  const pieces = message.match(/.{1,100000}/gs) ?? [];
  const script = "return redis.call('PUBLISH', KEYS[1], table.concat(ARGV))";
  t.equal(await redis.command('EVAL', script, '1', channel, ...pieces), '1');
}

t.test('entries that are no JSON are all named', async (t) => {
  const { store, key } = await createPlace(t);
  await store.publish(changeOf([putCluster('a'), putCluster('good')]));
  await redis.command('HSET', key('clusters'), 'a', '{"destinations":');
  await redis.command('HSET', key('routes'), 'b/~', 'nonsense');
  const error = await failureOf(store.read());
  t.ok(error instanceof UnreadableStoreError);
  t.match(error, { message: /the field a of \{place-\d+\}:clusters is no JSON.*and 1 more/ });
  t.match(error.problems, [
    { pointer: '/clusters/a' },
    { pointer: '/routes/b~1~0', hint: /write the entry/ },
  ]);
  await store.publish(changeOf([putCluster('a', 2), { op: 'delete', kind: 'route', id: 'b/~' }]));
  t.match(await store.read(), { document: { clusters: { a: clusterAt(2) } } });
  t.match(await store.history(1), [{ undo: [{ op: 'delete', id: 'a' }] }], 'what was there is not put back');
});

t.test('of thousands of entries that are no JSON the first thousand are named', async (t) => {
  const { store, key } = await createPlace(t);
  await store.publish(changeOf([]));
  const script = "for i = 1, 1500 do redis.call('HSET', KEYS[1], 'r' .. i, '{') end";
  await redis.command('EVAL', script, '1', key('routes'));
  const error = await failureOf(store.read());
  t.match(error.message, /and 1499 more$/);
  const problems = error.problems as { message: string }[];
  t.equal(problems.length, 1_001);
  t.match(problems.at(-1)?.message, 'and 500 more entries that are no JSON');
});

t.test('keys of another type are named, and nothing is written', async (t) => {
  for (const name of ['head', 'log', 'clusters', 'issuers', 'certificates', 'routes']) {
    const { store, key } = await createPlace(t);
    await store.publish(changeOf([putCluster('a')]));
    await redis.command('DEL', key(name));
    await redis.command('LPUSH', key(name), 'x');
    const error = await failureOf(store.publish(changeOf([putCluster('b')])));
    t.ok(error instanceof UnreadableStoreError, name);
    t.match(error.message, `${key(name)} is a list and should be a ${name === 'log' ? 'stream' : 'hash'}`);
    t.equal(await redis.command('LRANGE', key(name), '0', '-1'), 'x');
    if (name === 'log') continue;
    const unreadable = await failureOf(store.read());
    t.ok(unreadable instanceof UnreadableStoreError, name);
    t.match(unreadable.message, `${key(name)} is not a hash`);
  }
});

t.test('a log that is no stream is no obstacle for reading all', async (t) => {
  const { store, key } = await createPlace(t);
  await store.publish(changeOf([putCluster('a')]));
  await store.publish(changeOf([putCluster('b')]));
  await redis.command('SET', key('log'), 'x');
  t.equal(await store.changesSince(1), null);
  t.match(await store.read(), { head: { revision: 2 } });
  await t.rejects(store.history(1), UnreadableStoreError);
});

t.test('a head that is not valid is named, and nothing is written on it', async (t) => {
  for (const [field, value] of [
    ['revision', 'many'],
    ['revision', '0'],
    ['revision', '-1'],
    ['revision', '1e3'],
    ['revision', '99999999999999999'],
    ['id', ''],
    ['epoch', ''],
  ] as const) {
    const { store, key } = await createPlace(t);
    await store.publish(changeOf([putCluster('a')]));
    await redis.command('HSET', key('head'), field, value);
    for (const work of [store.readHead(), store.read(), store.changesSince(0)]) {
      const error = await failureOf(work);
      t.ok(error instanceof UnreadableStoreError, `${field} ${value}`);
      t.match(error.message, `the field ${field} of ${key('head')}`);
    }
    const error = await failureOf(store.publish(changeOf([putCluster('b')])));
    t.ok(error instanceof UnreadableStoreError, `${field} ${value}`);
    t.equal(await redis.command('HEXISTS', key('clusters'), 'b'), '0');
  }
});

t.test(
  'without a head the store counts as empty, and a new history begins without the leftovers',
  async (t) => {
    const notes: string[] = [];
    const { store, key } = await createPlace(t, { onNote: (note) => notes.push(note) });
    await store.publish(changeOf([putCluster('a')]));
    await store.publish(changeOf([putCluster('b')]));
    const epoch = await redis.command('HGET', key('head'), 'epoch');
    await redis.command('DEL', key('head'));
    t.equal(await store.read(), null);
    t.equal(await store.read(), null);
    t.equal(await store.readHead(), null);
    t.strictSame(await store.history(10), []);
    t.match(notes, [
      /counts as empty: there is no \{place-\d+\}:head\. What is in \{place-\d+\}:clusters goes/,
    ]);
    const head = await store.publish(changeOf([putCluster('c')], { expectedRevision: 0 }));
    t.match(head, { revision: 1, parent: null });
    t.strictSame((await store.read())?.document, documentWith({ clusters: { c: clusterAt(8080) } }));
    t.equal((await store.changesSince(0))?.length, 1);
    t.not(await redis.command('HGET', key('head'), 'epoch'), epoch);
  },
);

t.test('a log that somebody has pushed ahead of the head is given up, the store goes on', async (t) => {
  const { store, key } = await createPlace(t);
  await store.publish(changeOf([putCluster('a')]));
  await redis.command('XADD', key('log'), '*', 'some', 'thing');
  await store.publish(changeOf([putCluster('b')]));
  t.equal((await store.readHead())?.revision, 2);
  t.equal((await store.changesSince(1))?.length, 1);
  t.equal(await store.changesSince(0), null);
});

t.test('garbage in the log is left out of the history and breaks the chain', async (t) => {
  const notes: string[] = [];
  const { store, key } = await createPlace(t, { onNote: (note) => notes.push(note) });
  await store.publish(changeOf([putCluster('a')]));
  await redis.command('XADD', key('log'), '1-1', 'some', 'thing');
  await store.publish(changeOf([putCluster('b')]));
  t.strictSame(
    (await store.history(10)).map(({ revision }) => revision),
    [2, 1],
  );
  t.match(notes, [/the entry 1-1 of .*:log is not a change/]);
  t.equal(await store.changesSince(0), null);
  await redis.command('XDEL', key('log'), '1-0', '1-1');
  t.equal(await store.changesSince(0), null);
  t.equal((await store.changesSince(1))?.length, 1);
});

t.test('the script refuses what is malformed, whoever calls it, and writes nothing', async (t) => {
  const { key } = await createPlace(t);
  const keys = ['head', 'log', ...Object.values(COLLECTIONS)].map(key);
  const valid = ['', '0', 'id', 'now', 'ada', 'why', 'epoch', '10', '1000', '1000', key('events')];
  const call = (words: readonly string[], ...operations: string[]): Promise<Error> =>
    failureOf(redis.command('EVAL', PUBLISH_SCRIPT, '7', ...keys, ...words, ...operations));
  const replaced = (index: number, word: string): string[] => valid.with(index, word);
  t.match(await call(valid, 'cluster', 'a'), /MALFORMED the keys or arguments/);
  t.match(await call(replaced(1, '-1')), /MALFORMED the keys or arguments/);
  t.match(await call(replaced(1, '9007199254740990')), /MALFORMED the revision/);
  t.match(await call(replaced(2, '')), /MALFORMED the keys or arguments/);
  t.match(
    await call(valid, 'cluster', 'a', '{}', 'host', 'a', '{}'),
    /MALFORMED operation 1: there is no kind host/,
  );
  t.match(await call(valid, 'cluster', 'a b', '{}'), /MALFORMED operation 0: the id/);
  t.match(await call(valid, 'cluster', 'x'.repeat(129), '{}'), /MALFORMED operation 0: the id/);
  t.match(await call(valid, 'issuer', '*.example.com', '{}'), /MALFORMED operation 0: the id/);
  for (const id of ['*', '*.', '*.*.com', 'API.example.com', '.com', 'a_b.com', 'x'.repeat(252)]) {
    t.match(await call(valid, 'certificate', id, '{}'), /MALFORMED operation 0: the id/, id);
  }
  for (const value of ['{', '{}}', '[]', '7', ' ', '{"a":1}{"b":2}', '{"a":}']) {
    t.match(await call(valid, 'cluster', 'a', value), /MALFORMED operation 0: the value/, value);
  }
  t.equal(await redis.command('EXISTS', ...keys), '0');
  t.equal(
    await redis.command('EVAL', PUBLISH_SCRIPT, '7', ...keys, ...valid, 'cluster', 'a', ' {"x":[]}\n'),
    'written\n1\n\nepoch',
  );
  t.equal(await redis.command('EVAL', PUBLISH_SCRIPT, '7', ...keys, ...replaced(0, '7')), 'conflict\n1');
});

t.test('a console that knows clusters and routes alone leaves the other entries as they are', async (t) => {
  const { store, key } = await createPlace(t);
  const operations = [putCluster('a'), { op: 'put', kind: 'consumer', id: 'shop', value: { roles: [] } }];
  await store.publish(changeOf(operations as Operation[]));
  const script = PUBLISH_SCRIPT.replace(/^local KINDS = .*$/m, "local KINDS = {'cluster', 'route'}");
  const keys = ['head', 'log', 'clusters', 'routes'].map(key);
  const words = ['1', '0', 'id', '2026-01-31', 'ada', 'why', 'epoch', '10', '9999', '99', key('events')];
  const reply = await redis.command('EVAL', script, '4', ...keys, ...words, 'cluster', 'a', '');
  t.match(reply, /^written\n2\n/);
  t.strictSame((await store.read())?.document, documentWith({ consumers: { shop: { roles: [] } } }));
  t.match(await store.changesSince(1), [{ operations: [{ op: 'delete', kind: 'cluster', id: 'a' }] }]);
});

t.test('a change is refused that no store could take', async (t) => {
  const { store } = await createPlace(t);
  const many = Array.from({ length: 300_001 }, (): Operation => putCluster('a'));
  await t.rejects(store.publish(changeOf(many)), MalformedChangeError);
  await t.rejects(store.publish(changeOf([], { message: 7 as unknown as string })), MalformedChangeError);
  const huge = [putCluster('a')].map((put) => ({ ...put, value: { text: 'x'.repeat(67_108_864) } }));
  await t.rejects(store.publish(changeOf(huge as unknown as Operation[])), /split it|more than/);
  t.equal(await store.readHead(), null);
});

t.test('out of memory: nothing is written, it is said, and it passes', async (t) => {
  const { store } = await createPlace(t);
  const watch = new StoreWatch(store);
  const head = await store.publish(changeOf([putCluster('a')]));
  t.teardown(() => redis.command('CONFIG', 'SET', 'maxmemory', '0'));
  await redis.command('CONFIG', 'SET', 'maxmemory', '1');
  const error = await failureOf(store.publish(changeOf([putCluster('b')])));
  t.ok(error instanceof StoreUnavailableError);
  t.match(error, { notWritten: true, message: /out of memory: raise its maxmemory/ });
  t.match(store.condition, { reachable: true, problem: /out of memory/ });
  t.strictSame(await store.readHead(), head);
  t.match(await store.read(), { document: { clusters: { a: {} } } });
  t.equal((await store.history(10)).length, 1);
  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  await watch.healthy();
  await redis.command('CONFIG', 'SET', 'maxmemory', '1');
  await watch.problem(/out of memory/);
  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  await failureOf(store.publish(changeOf([putCluster('b')])));
  t.match(store.condition, { reachable: true, problem: null }, 'a write that succeeds says so at once');
});

t.test('out of memory leaves an empty store empty, and a full log as it is', async (t) => {
  const { store, key } = await createPlace(t, { logLength: 1 });
  t.teardown(() => redis.command('CONFIG', 'SET', 'maxmemory', '0'));
  await redis.command('CONFIG', 'SET', 'maxmemory', '1');
  await t.rejects(store.publish(changeOf([putCluster('a')])), StoreUnavailableError);
  t.equal(await redis.command('EXISTS', key('head'), key('log'), key('clusters')), '0');
  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  const head = await store.publish(changeOf([putCluster('a')]));
  await redis.command('CONFIG', 'SET', 'maxmemory', '1');
  await t.rejects(store.publish(changeOf([putCluster('b')])), StoreUnavailableError);
  t.match(await store.history(5), [{ id: head.id }]);
});

t.test('many operations at once are one change', { timeout: 120_000 }, async (t) => {
  const { store, open } = await createPlace(t);
  const reader = await open();
  const operations = Array.from({ length: 20_000 }, (_, index): Operation => putCluster(`c${index}`));
  await store.publish(changeOf(operations));
  const document = (await reader.read())?.document as { clusters: object };
  t.equal(Object.keys(document.clusters).length, 20_000);
  t.equal((await reader.changesSince(0))?.[0]?.operations.length, 20_000);
  const deletes = operations.map(({ kind, id }): Operation => ({ op: 'delete', kind, id }));
  await reader.publish(changeOf(deletes, { expectedRevision: 1 }));
  const [change] = await store.history(1);
  t.strictSame(change?.undo, operations);
  t.strictSame((await store.read())?.document, documentWith({}));
  await t.rejects(store.publish(changeOf(deletes, { expectedRevision: 1 })), new RevisionConflictError(1, 2));
});
