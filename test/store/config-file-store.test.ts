import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ConfigFileStore } from '../../lib/store/config-file-store.ts';
import {
  type StoreCondition,
  type StoreListener,
  UnreadableStoreError,
} from '../../lib/store/config-store.ts';

/** Collects the hints of a store, and keeps the process alive while one waits for them. */
class Hints implements StoreListener {
  count = 0;
  #notify = (): void => {};

  onHint(): void {
    this.count += 1;
    this.#notify();
  }

  reach(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(`${this.count} hints came, not ${count}`)), 20_000);
      this.#notify = () => {
        if (this.count < count) return;
        clearTimeout(deadline);
        resolve();
      };
      this.#notify();
    });
  }
}

async function watched(t: Test, path: string): Promise<{ store: ConfigFileStore; hints: Hints }> {
  const store = new ConfigFileStore(path);
  t.teardown(() => store.close());
  await store.read();
  const hints = new Hints();
  store.watch(hints);
  return { store, hints };
}

async function failureOf(store: ConfigFileStore): Promise<UnreadableStoreError> {
  const error = await store.read().then(
    () => new Error('it was read'),
    (reason: unknown) => reason,
  );
  if (error instanceof UnreadableStoreError) return error;
  throw error;
}

t.test('reads YAML and JSON, by the name of the file', async (t) => {
  const directory = t.testdir({
    'a.yaml': 'routes: { a: 1 }',
    'b.json': '{"routes":{"a":1}}',
    'empty.yaml': '',
  });
  for (const name of ['a.yaml', 'b.json']) {
    const store = new ConfigFileStore(join(directory, name));
    t.strictSame(await store.read(), { document: { routes: { a: 1 } } }, name);
    t.match(store, { kind: 'config-file', writable: false });
  }
  t.strictSame(await new ConfigFileStore(join(directory, 'empty.yaml')).read(), { document: {} });
});

t.test('a file that cannot be used is named, with every problem', async (t) => {
  const directory = t.testdir({
    'syntax.yaml': 'a: 1\na: 2\nb: *x\n',
    'syntax.json': '{"a": 1, "a": 2, "b": 1, "b": 2}',
    'latin1.yaml': Buffer.from('a: 1\nb: caf\xe9\n', 'latin1'),
    'large.yaml': Buffer.alloc(16 * 1_048_576 + 1, 0x20),
  });
  const failure = (name: string): Promise<UnreadableStoreError> =>
    failureOf(new ConfigFileStore(join(directory, name)));
  const syntax = await failure('syntax.yaml');
  t.equal(syntax.problems.length, 2);
  t.equal(
    syntax.message,
    `cannot use ${directory}/syntax.yaml: (document): the key "a" is there again at line 2, column 1 and 1 more`,
  );
  t.equal((await failure('syntax.json')).problems.length, 2);
  t.match((await failure('latin1.yaml')).message, /latin1\.yaml: .*not UTF-8 at line 2, column 7/);
  t.match((await failure('large.yaml')).message, /large\.yaml: .*the limit for YAML is 16777216/);
  t.match(await failure('missing.yaml'), {
    message: /cannot read .*missing\.yaml: no such file or directory \(ENOENT\)/,
    problems: [{ message: /ENOENT/ }],
  });
  t.match((await failure('.')).message, /not a regular file/);
});

t.test('a save is hinted at', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 1' }), 'config.yaml');
  const { store, hints } = await watched(t, path);
  writeFileSync(path, 'a: 2');
  await hints.reach(1);
  t.strictSame(await store.read(), { document: { a: 2 } });
  appendFileSync(path, '\nb: 3');
  await hints.reach(2);
  t.strictSame(await store.read(), { document: { a: 2, b: 3 } });
});

t.test('a save that leaves the content as it was is not hinted at', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 1' }), 'config.yaml');
  const { hints } = await watched(t, path);
  writeFileSync(path, 'a: 1');
  await delay(200);
  utimesSync(path, 0, 0);
  await delay(200);
  writeFileSync(path, 'a: 2');
  await hints.reach(1);
  t.equal(hints.count, 1);
});

t.test('a change between reading and watching is not missed', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 1' }), 'config.yaml');
  const store = new ConfigFileStore(path);
  t.teardown(() => store.close());
  await store.read();
  writeFileSync(path, 'a: 2');
  const hints = new Hints();
  store.watch(hints);
  await hints.reach(1);
});

t.test('content that was hinted at and taken back before it was read is hinted at again', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 1' }), 'config.yaml');
  const { hints } = await watched(t, path);
  writeFileSync(path, 'a: 2');
  await hints.reach(1);
  writeFileSync(path, 'a: 1');
  await hints.reach(2);
});

t.test('an editor that renames a new file over the old one is followed, again and again', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 0' }), 'config.yaml');
  const { store, hints } = await watched(t, path);
  for (let round = 1; round <= 3; round += 1) {
    writeFileSync(`${path}.swp`, `a: ${round}`);
    renameSync(`${path}.swp`, path);
    await hints.reach(round);
    t.strictSame(await store.read(), { document: { a: round } });
  }
});

t.test('a file that is deleted and created anew is followed, and its absence is no hint', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 1' }), 'config.yaml');
  const { store, hints } = await watched(t, path);
  rmSync(path);
  await delay(200);
  t.equal(hints.count, 0);
  writeFileSync(path, 'a: 1');
  await delay(200);
  t.equal(hints.count, 0, 'it is the same again');
  rmSync(path);
  t.match((await failureOf(store)).message, /ENOENT/);
  writeFileSync(path, 'a: 1');
  await hints.reach(1);
});

t.test('a Kubernetes ConfigMap, whose directory is swapped by a symbolic link, is followed', async (t) => {
  const directory = t.testdir({ '..v1': { 'config.yaml': 'a: 1' }, '..v2': { 'config.yaml': 'a: 2' } });
  symlinkSync('..v1', join(directory, '..data'));
  symlinkSync('..data/config.yaml', join(directory, 'config.yaml'));
  const { store, hints } = await watched(t, join(directory, 'config.yaml'));
  symlinkSync('..v2', join(directory, '..data_tmp'));
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
  rmSync(join(directory, '..v1'), { recursive: true });
  await hints.reach(1);
  t.strictSame(await store.read(), { document: { a: 2 } });
});

t.test('a change behind a link into another directory is found by looking', async (t) => {
  const directory = t.testdir({ etc: {}, srv: { 'config.yaml': 'a: 1' } });
  symlinkSync('../srv/config.yaml', join(directory, 'etc', 'config.yaml'));
  const { hints } = await watched(t, join(directory, 'etc', 'config.yaml'));
  for (let round = 1; round <= 2; round += 1) {
    writeFileSync(join(directory, 'srv', 'config.yaml'), `a: ${round + 1}`);
    await hints.reach(round);
  }
});

t.test('a directory that is replaced, or comes only later, is followed', async (t) => {
  const directory = t.testdir({ etc: { 'config.yaml': 'a: 1' } });
  const path = join(directory, 'etc', 'config.yaml');
  const { hints } = await watched(t, path);
  rmSync(join(directory, 'etc'), { recursive: true });
  mkdirSync(join(directory, 'etc'));
  writeFileSync(path, 'a: 2');
  await hints.reach(1);

  const later = new ConfigFileStore(join(directory, 'later', 'config.yaml'));
  t.teardown(() => later.close());
  t.match((await failureOf(later)).message, /ENOENT/);
  const laterHints = new Hints();
  later.watch(laterHints);
  await delay(200);
  mkdirSync(join(directory, 'later'));
  writeFileSync(join(directory, 'later', 'config.yaml'), 'a: 1');
  await laterHints.reach(1);
});

t.test('a slow writer that truncates first is waited for', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 1' }), 'config.yaml');
  const { store, hints } = await watched(t, path);
  const file = openSync(path, 'w');
  await delay(300);
  t.equal(hints.count, 0, 'the empty file in between is not believed in');
  for (let line = 0; line < 20; line += 1) {
    writeSync(file, `key-${line}: 1\n`);
    await delay(5);
  }
  closeSync(file);
  await hints.reach(1);
  const { document } = await store.read();
  t.equal(Object.keys(document as object).length, 20);
  t.equal(hints.count, 1);
});

t.test('a file that stays empty is believed in after a while', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 1' }), 'config.yaml');
  const { store, hints } = await watched(t, path);
  writeFileSync(path, '');
  await hints.reach(1);
  t.strictSame(await store.read(), { document: {} });
});

t.test('a file that becomes unusable is hinted at once, so that reading can say why', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 1' }), 'config.yaml');
  const { store, hints } = await watched(t, path);
  rmSync(path);
  mkdirSync(path);
  await hints.reach(1);
  t.match((await failureOf(store)).message, /not a regular file/);
  writeFileSync(join(path, 'inner'), '');
  await delay(200);
  t.equal(hints.count, 1);
});

t.test('a file that cannot be read makes the store unreachable, until it can be read again', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 1' }), 'config.yaml');
  const { store } = await watched(t, path);
  t.match(store.condition, { reachable: true, problem: null, since: /^\d{4}-\d\d-\d\dT/ });
  const told: StoreCondition[] = [];
  let onTold = (): void => {};
  const next = (): Promise<void> => new Promise((resolve) => (onTold = resolve));
  const onCondition = (condition: StoreCondition): void => {
    told.push(condition);
    onTold();
  };
  store.watch({ onHint: () => {}, onCondition });
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(alive));

  const gone = next();
  rmSync(path);
  await gone;
  t.match(told.at(-1), { reachable: false, problem: /cannot read .*config\.yaml: .*ENOENT/ });
  t.strictSame(store.condition, told.at(-1));
  const { since } = store.condition;
  await failureOf(store);
  t.equal(store.condition.since, since, 'it is the same trouble still');

  const back = next();
  writeFileSync(path, 'a: [');
  await back;
  t.match(told.at(-1), { reachable: true, problem: null });
  await failureOf(store);
  t.match(store.condition, { reachable: true, problem: null }, 'what is in the file is not its matter');
  t.equal(told.length, 2);
});

t.test('nothing is hinted at any more after closing', async (t) => {
  const path = join(t.testdir({ 'config.yaml': 'a: 1' }), 'config.yaml');
  const { store, hints } = await watched(t, path);
  writeFileSync(path, 'a: 2');
  await store.close();
  await delay(200);
  t.equal(hints.count, 0);
});

t.test('a file that is being written is read whole', async (t) => {
  const path = join(t.testdir({ 'config.json': '[]' }), 'config.json');
  const store = new ConfigFileStore(path);
  const file = openSync(path, 'w');
  writeSync(file, '[0');
  const writer = (async () => {
    for (let index = 1; index <= 3_000; index += 1) {
      writeSync(file, `,${index}`.padEnd(1_000));
      if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    writeSync(file, ']');
    closeSync(file);
  })();
  const { document } = await store.read();
  await writer;
  t.equal((document as number[]).length, 3_001);
});
