import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Head, Operation } from '../../lib/core/config/change.ts';
import { decodeChecksummed, encodeChecksummed } from '../../lib/store/checksummed-json.ts';
import {
  type StoreCondition,
  StoreUnavailableError,
  UnreadableStoreError,
} from '../../lib/store/config-store.ts';
import { DirectoryLock } from '../../lib/store/directory-lock.ts';
import { EntryTable } from '../../lib/store/entry-table.ts';
import { FileStore, type FileStoreOptions } from '../../lib/store/file-store.ts';
import { saveSnapshot } from '../../lib/store/file-store-state.ts';
import { watchEventLoop } from '../helpers/event-loop-block.ts';
import { changeOf, clusterAt, documentWith, putCluster, storeContract } from './contract.ts';

const PROCESS = fileURLToPath(new URL('publishing-process.ts', import.meta.url));

function start(t: Test, mode: string, directory: string): ChildProcess {
  const child = spawn(process.execPath, [PROCESS, mode, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

async function open(t: Test, directory: string, options?: FileStoreOptions): Promise<FileStore> {
  const store = await FileStore.open(directory, options);
  t.teardown(() => store.close());
  return store;
}

async function publishMany(store: FileStore, count: number): Promise<void> {
  for (let index = 1; index <= count; index += 1) {
    await store.publish(changeOf([putCluster(`c${index % 5}`, index)]));
  }
}

/** Fills a directory with the changes of a store that was then closed. */
async function fill(directory: string, count: number, options?: FileStoreOptions): Promise<void> {
  const store = await FileStore.open(directory, options);
  await publishMany(store, count);
  await store.close();
}

/** Resolves with the next condition that the store tells. */
function nextCondition(store: FileStore): Promise<StoreCondition> {
  return new Promise((onCondition) => store.watch({ onHint: () => {}, onCondition }));
}

async function readUnreadable(directory: string): Promise<UnreadableStoreError> {
  const error = await FileStore.open(directory).then(
    () => new Error('the store opened'),
    (reason: unknown) => reason,
  );
  if (error instanceof UnreadableStoreError) return error;
  throw error;
}

const SNAPSHOT_FORMAT = 'fengling-gateway/snapshot/1';
interface SnapshotContent {
  readonly head: Head;
  readonly document: object;
}

const logOf = (directory: string): string => join(directory, 'changes.log');
const snapshotOf = (directory: string): string => join(directory, 'configuration.json');

t.test('keeps the contract of stores', async (t) => {
  storeContract(t, async (t) => {
    const directory = t.testdir();
    return { open: () => FileStore.open(directory) };
  });
});

t.test('keeps the contract of stores while it compacts all the time', async (t) => {
  storeContract(t, async (t) => {
    const directory = t.testdir();
    return { open: () => FileStore.open(directory, { compactAfterChanges: 1, keptLogs: 100 }) };
  });
});

t.test('a reopened store equals the one that was closed, for any history', async (t) => {
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    fc
      .tuple(fc.constantFrom('a', 'b', '1', 'constructor'), fc.nat(9))
      .map(([id, port]) => putCluster(id, port + 1)),
    fc
      .tuple(fc.constantFrom('cluster' as const, 'route' as const), fc.constantFrom('a', 'b', '1'))
      .map(([kind, id]) => ({ op: 'delete' as const, kind, id })),
  );
  const session = fc.array(fc.array(operation, { maxLength: 3 }), { maxLength: 6 });
  let run = 0;
  const root = t.testdir();
  await fc.assert(
    fc.asyncProperty(
      fc.array(session, { maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (sessions, limit) => {
        run += 1;
        const directory = join(root, `run-${run}`);
        mkdirSync(directory);
        let content: unknown = null;
        let changes: unknown = [];
        for (const session of [...sessions, []]) {
          const store = await FileStore.open(directory, { compactAfterChanges: limit, keptLogs: 100 });
          const reread = [await store.read(), await store.changesSince(0)];
          if (!isDeepStrictEqual(reread, [content, changes])) return false;
          for (const operations of session) await store.publish(changeOf(operations));
          [content, changes] = [await store.read(), await store.changesSince(0)];
          await store.close();
        }
        return true;
      },
    ),
    { numRuns: 60 },
  );
});

t.test('a line that was torn by a crash is cut off with a note, wherever it was torn', async (t) => {
  const directory = t.testdir();
  await fill(directory, 3);
  const whole = readFileSync(logOf(directory));
  const lastLineAt = whole.subarray(0, -1).lastIndexOf('\n') + 1;
  for (let length = lastLineAt + 1; length < whole.length; length += 20) {
    writeFileSync(logOf(directory), whole.subarray(0, length));
    const notes: string[] = [];
    const store = await FileStore.open(directory, { onNote: (note) => notes.push(note) });
    t.equal((await store.read())?.head?.revision, 2);
    t.match(notes, [/changes\.log: cut off \d+ bytes at the end/]);
    t.equal((await store.publish(changeOf([putCluster('next')]))).revision, 3);
    await store.close();
    const notesAfter: string[] = [];
    const again = await FileStore.open(directory, { onNote: (note) => notesAfter.push(note) });
    t.equal((await again.changesSince(0))?.length, 3);
    t.same(notesAfter, []);
    await again.close();
  }
});

t.test('a last line with blocks that never reached the disk is torn as well', async (t) => {
  const directory = t.testdir();
  await fill(directory, 2);
  const bytes = readFileSync(logOf(directory));
  bytes.fill(0, bytes.length - 60, bytes.length - 10);
  writeFileSync(logOf(directory), bytes);
  const store = await open(t, directory);
  t.equal((await store.read())?.head?.revision, 1);
});

t.test('damage anywhere else is refused, with file, line and remedy', async (t) => {
  const damage = async (
    name: string,
    change: (directory: string) => void,
    expected: RegExp[],
    compactAfterChanges = 4,
  ): Promise<void> => {
    await t.test(name, async (t) => {
      const directory = t.testdir();
      await fill(directory, 7, { compactAfterChanges });
      change(directory);
      const error = await readUnreadable(directory);
      for (const pattern of expected) t.match(error.message, pattern);
      t.match(error.problems, [{ hint: /restore/ }]);
      t.notOk(readdirSync(directory).includes('store.lock'), 'the lock is given back');
    });
  };
  const edit = (path: string, from: RegExp | string, to: string): void =>
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
  /** Changes a snapshot as its rightful writer could. */
  const rewriteSnapshot = (directory: string, change: (content: SnapshotContent) => void): void => {
    const content = decodeChecksummed(SNAPSHOT_FORMAT, readFileSync(snapshotOf(directory), 'utf8'));
    change(content as SnapshotContent);
    writeFileSync(snapshotOf(directory), encodeChecksummed(SNAPSHOT_FORMAT, content));
  };
  const removeLine = (path: string, index: number): void =>
    writeFileSync(path, readFileSync(path, 'utf8').split('\n').toSpliced(index, 1).join('\n'));

  await damage('a changed line', (d) => edit(logOf(d), '"actor":"ada"', '"actor":"eve"'), [
    /changes\.log, line 1: its checksum does not match/,
    /cut .* off before line 1/,
  ]);
  await damage('a changed last line', (d) => edit(logOf(d), /ada(?=[^\n]*\n$)/, 'eve'), [
    /line 3: its checksum/,
  ]);
  await damage('a line that is no JSON', (d) => edit(logOf(d), '{', ''), [/line 1: it is not valid JSON/]);
  await damage('a line that is something else', (d) => writeFileSync(logOf(d), '7\n'), [
    /line 1: it is not a JSON object/,
  ]);
  await damage('a line of another format', (d) => edit(logOf(d), 'change/2', 'change/3'), [
    /line 1.*change\/3/,
  ]);
  await damage('a missing line', (d) => removeLine(logOf(d), 1), [
    /line 2: revision 7 does not follow revision 5/,
  ]);
  await damage('a missing first line', (d) => removeLine(logOf(d), 0), [/do not lead on from revision 4/]);
  await damage('a changed snapshot', (d) => edit(snapshotOf(d), '127.0.0.1', '127.0.0.2'), [
    /configuration\.json: its checksum does not match/,
  ]);
  await damage(
    'a missing snapshot without the history before it',
    (d) => {
      rmSync(snapshotOf(d));
      rmSync(join(d, 'changes.4.log'));
    },
    [/changes\.log: it begins with revision 5, but the snapshot before it is missing/],
  );
  await damage(
    'a changed line of an older log that no snapshot holds',
    (d) => {
      rmSync(snapshotOf(d));
      edit(join(d, 'changes.4.log'), '"actor":"ada"', '"actor":"eve"');
    },
    [/changes\.4\.log, line 1: its checksum does not match/],
  );
  await damage(
    'a missing end of an older log that no snapshot holds',
    (d) => {
      rmSync(snapshotOf(d));
      removeLine(join(d, 'changes.4.log'), 3);
    },
    [/changes\.4\.log: it does not end with revision 4/],
  );
  await damage(
    'a missing log among the older ones that no snapshot holds',
    (d) => {
      rmSync(snapshotOf(d));
      rmSync(join(d, 'changes.4.log'));
    },
    [/the changes between revisions 2 and 5 are missing/],
    2,
  );
  await damage(
    'the log of another store',
    (d) => {
      renameSync(join(d, 'changes.4.log'), logOf(d));
      rewriteSnapshot(d, (content) => Object.assign(content.head, { id: 'another' }));
    },
    [/changes\.log: its changes do not lead on from revision 4 of configuration\.json/],
  );
  await damage(
    'a section of a newer version',
    (d) => rewriteSnapshot(d, (content) => Object.assign(content.document, { plugins: {} })),
    [/"plugins" is not known to this version/],
  );
});

t.test('a hand that only formats the snapshot does no damage', async (t) => {
  const directory = t.testdir();
  await fill(directory, 4, { compactAfterChanges: 4 });
  const path = snapshotOf(directory);
  writeFileSync(path, JSON.stringify(JSON.parse(readFileSync(path, 'utf8')), null, 2));
  t.equal((await (await open(t, directory)).read())?.head?.revision, 4);
});

t.test('a crash at any point of compaction loses nothing and applies nothing twice', async (t) => {
  const root = t.testdir({ before: {} });
  const before = join(root, 'before');
  await fill(before, 7, { compactAfterChanges: 4 });
  const store = await FileStore.open(before);
  await store.publish(changeOf([putCluster('last', 8)]));
  const content = (await store.read()) as { head: Head; document: Record<string, unknown> };
  const changes = await store.changesSince(0);
  await store.close();

  const writeSnapshot = async (directory: string): Promise<void> => {
    const lock = await DirectoryLock.acquire(directory);
    await saveSnapshot(directory, lock, content.head, EntryTable.fromDocument(content.document).copy());
    await lock.release();
  };
  const rotateLog = (directory: string): void =>
    renameSync(logOf(directory), join(directory, 'changes.8.log'));
  const stages: Record<string, (directory: string) => Promise<void> | void> = {
    'nothing done': () => {},
    'log rotated': rotateLog,
    'next log created': (directory) => {
      rotateLog(directory);
      writeFileSync(logOf(directory), '');
    },
    'next log torn': (directory) => {
      rotateLog(directory);
      writeFileSync(logOf(directory), '{"format":');
    },
    'snapshot half written': (directory) => {
      rotateLog(directory);
      writeFileSync(`${snapshotOf(directory)}.x.tmp`, '{"format":"fengl');
    },
    'snapshot written': async (directory) => {
      rotateLog(directory);
      await writeSnapshot(directory);
    },
    'snapshot written while changes went on': writeSnapshot,
    'no snapshot was ever written': (directory) => {
      rmSync(snapshotOf(directory));
      rotateLog(directory);
    },
  };
  for (const [name, arrange] of Object.entries(stages)) {
    await t.test(name, async (t) => {
      const directory = join(root, name);
      cpSync(before, directory, { recursive: true });
      await arrange(directory);
      for (const compactAfterChanges of [2, 100]) {
        const copy = join(root, `${name} ${compactAfterChanges}`);
        cpSync(directory, copy, { recursive: true });
        const reopened = await FileStore.open(copy, { compactAfterChanges });
        t.strictSame(await reopened.read(), content);
        t.strictSame(await reopened.changesSince(0), changes);
        const next = await reopened.publish(changeOf([putCluster('next')]));
        t.match(next, { revision: 9, parent: content.head.id });
        await reopened.close();
        const again = await open(t, copy);
        t.strictSame((await again.read())?.head, next);
        t.strictSame((await again.changesSince(0))?.slice(0, 8), changes);
      }
    });
  }
});

t.test('compaction keeps a bounded number of older logs as history', async (t) => {
  const directory = t.testdir();
  await fill(directory, 32, { compactAfterChanges: 5, keptLogs: 3 });
  const store = await open(t, directory, { compactAfterChanges: 5, keptLogs: 3 });
  t.strictSame(
    readdirSync(directory).filter((name) => name.startsWith('changes')),
    ['changes.20.log', 'changes.25.log', 'changes.30.log', 'changes.log'],
  );
  const revisionsSince = async (revision: number): Promise<number[] | undefined> =>
    (await store.changesSince(revision))?.map((change) => change.revision);
  t.strictSame(await revisionsSince(31), [32]);
  t.strictSame(await revisionsSince(30), [31, 32]);
  t.strictSame(await revisionsSince(23), [24, 25, 26, 27, 28, 29, 30, 31, 32]);
  t.equal((await revisionsSince(15))?.length, 17);
  t.equal(await store.changesSince(14), null, 'the log no longer reaches back that far');
  const pages: number[] = [];
  for (let before = 1_000; ; before = pages.at(-1) ?? 0) {
    const page = await store.history(4, before);
    if (page.length === 0) break;
    pages.push(...page.map((change) => change.revision));
  }
  t.strictSame(
    pages,
    Array.from({ length: 17 }, (_, index) => 32 - index),
    'as far as the logs go, page by page',
  );
});

t.test('compaction also comes with the size of the log', async (t) => {
  const directory = t.testdir();
  const store = await open(t, directory, { compactAfterBytes: 10_000 });
  await store.publish(changeOf([putCluster('a')]));
  t.notOk(readdirSync(directory).includes('configuration.json'));
  await store.publish(changeOf([putCluster('b')], { message: 'x'.repeat(10_000) }));
  await store.close();
  t.ok(readdirSync(directory).includes('configuration.json'));
  t.ok(readdirSync(directory).includes('changes.2.log'));
});

t.test('damaged history is noted, and reported as history that is gone', async (t) => {
  const directory = t.testdir();
  const notes: string[] = [];
  const store = await open(t, directory, { compactAfterChanges: 2, onNote: (note) => notes.push(note) });
  await publishMany(store, 5);
  writeFileSync(join(directory, 'changes.2.log'), 'garbage\n');
  t.equal((await store.changesSince(2))?.length, 3);
  t.equal(await store.changesSince(1), null);
  t.match(notes, [/history is incomplete: .*changes\.2\.log, line 1/]);
  rmSync(join(directory, 'changes.4.log'));
  t.equal(await store.changesSince(2), null, 'a gap is not passed over');
  t.strictSame(
    (await store.history(10)).map((change) => change.revision),
    [5],
    'nor in the history',
  );
  await store.publish(changeOf([putCluster('sixth')]));
  rmSync(join(directory, 'changes.6.log'));
  t.equal(await store.changesSince(5), null, 'nor is an end that is missing');
});

t.test('a gap in the history is not passed over', async (t) => {
  const directory = t.testdir();
  await fill(directory, 7, { compactAfterChanges: 2 });
  rmSync(join(directory, 'changes.4.log'));
  const store = await open(t, directory);
  t.equal((await store.changesSince(5))?.length, 2);
  t.equal((await store.changesSince(4))?.length, 3);
  for (const revision of [0, 1, 2, 3]) t.equal(await store.changesSince(revision), null);
  t.strictSame(
    (await store.history(10)).map((change) => change.revision),
    [7, 6, 5],
  );
  t.strictSame(
    (await store.history(10, 4)).map((change) => change.revision),
    [2, 1],
    'what is before the gap is there for who asks for it',
  );
});

t.test('a compaction that fails fails no change, and is tried again', async (t) => {
  const directory = t.testdir();
  const notes: string[] = [];
  const store = await open(t, directory, { compactAfterChanges: 2, onNote: (note) => notes.push(note) });
  mkdirSync(snapshotOf(directory));
  const failed = nextCondition(store);
  await publishMany(store, 2);
  t.match(await failed, { reachable: true, problem: /cannot write .*configuration\.json: .*EISDIR/ });
  t.strictSame(store.condition, await failed);
  t.match(notes, [/compacting the store failed.*cannot write .*configuration\.json: .*EISDIR/]);
  t.notOk(
    readdirSync(directory).some((name) => name.endsWith('.tmp')),
    'the temporary file is removed',
  );
  rmdirSync(snapshotOf(directory));
  const mended = nextCondition(store);
  await publishMany(store, 2);
  t.match(await mended, { reachable: true, problem: null });
  t.ok(readdirSync(directory).includes('configuration.json'));
  t.equal((await store.changesSince(0))?.length, 4);
});

t.test('a log that cannot be rotated grows, and is rotated once it can be', async (t) => {
  const directory = t.testdir();
  const store = await open(t, directory, { compactAfterChanges: 10 });
  mkdirSync(join(directory, 'changes.10.log'));
  await publishMany(store, 10);
  t.match(store.condition, { problem: /compacting the store failed.*cannot rename .*changes\.log/ });
  await publishMany(store, 1);
  t.ok(readdirSync(directory).includes('changes.11.log'));
  rmdirSync(join(directory, 'changes.10.log'));
  t.equal((await store.changesSince(0))?.length, 11);
  await store.close();
  t.equal((await (await open(t, directory)).readHead())?.revision, 11);
});

t.test('a snapshot is not put in the place of one that another gateway may have written', async (t) => {
  const directory = t.testdir();
  await fill(directory, 4, { compactAfterChanges: 4 });
  const before = readFileSync(snapshotOf(directory), 'utf8');
  const lock = await DirectoryLock.acquire(directory);
  rmSync(join(directory, 'store.lock'));
  const head = { revision: 9, id: 'late', parent: null, at: '' };
  await t.rejects(saveSnapshot(directory, lock, head, new EntryTable().copy()), /no longer held/);
  t.equal(readFileSync(snapshotOf(directory), 'utf8'), before);
  await lock.release();
});

t.test('neither a change nor a snapshot of 100,000 routes holds up the event loop', async (t) => {
  const directory = t.testdir();
  const store = await FileStore.open(directory);
  const operations = Array.from({ length: 100_000 }, (_, index): Operation => {
    const match = { hosts: [`host-${index % 100}.example.com`], path: `/service-${index}/{**rest}` };
    return { op: 'put', kind: 'route', id: `route-${index}`, value: { match, cluster: 'a', order: index } };
  });
  const { longestBlockMs, totalMs } = await watchEventLoop(async () => {
    await store.publish(changeOf(operations));
    await store.publish(changeOf([putCluster('a')]));
    await store.read();
    await store.close();
  });
  t.ok(longestBlockMs < totalMs / 3, `${longestBlockMs} of ${totalMs} ms`);
  t.ok(readdirSync(directory).includes('configuration.json'), 'there was a snapshot');
  const again = await open(t, directory);
  t.equal((await again.readHead())?.revision, 2);
  const document = (await again.read())?.document as { routes: object };
  t.equal(Object.keys(document.routes).length, 100_000);
});

t.test('a change that cannot be written is refused, and the store goes on afterwards', async (t) => {
  const directory = t.testdir();
  const store = await open(t, directory);
  mkdirSync(logOf(directory));
  const error = await store.publish(changeOf([putCluster('a')])).catch((reason: unknown) => reason);
  t.ok(error instanceof StoreUnavailableError);
  t.match(error, { message: /cannot write the change to .*changes\.log: .*EISDIR/, notWritten: true });
  const { since } = store.condition;
  t.match(store.condition, { reachable: true, problem: /EISDIR/ });
  rmdirSync(logOf(directory));
  symlinkSync('/dev/full', logOf(directory));
  await t.rejects(store.publish(changeOf([putCluster('a')])), /changes\.log: .*\(ENOSPC\)/);
  t.match(
    store.condition,
    { problem: /ENOSPC/, since },
    'the last failure is named, the trouble is the same',
  );
  rmSync(logOf(directory));
  t.equal(await store.read(), null);
  const head = await store.publish(changeOf([putCluster('b')]));
  t.equal(head.revision, 1);
  t.match(store.condition, { reachable: true, problem: null });
  await store.close();
  const again = await open(t, directory);
  t.strictSame(await again.read(), { head, document: documentWith({ clusters: { b: clusterAt(8080) } }) });
});

t.test('a change that was written in part is taken back', async (t) => {
  const directory = t.testdir();
  // 8 MiB, in the blocks of the shell: the files that coverage writes must stay below it too.
  const command = 'ulimit -f 16384; exec "$0" "$@"';
  const child = spawn('/bin/sh', ['-c', command, process.execPath, PROCESS, 'file-limit', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  const [small, large, smallAgain] = JSON.parse(line);
  t.equal(small.result, 1);
  t.match(large.result, /cannot write the change to .*changes\.log: file too large \(EFBIG\)/);
  t.equal(large.logLength, small.logLength, 'what was written of it is removed at once');
  t.equal(smallAgain.result, 2);
  if (child.exitCode === null) await once(child, 'exit');
  const notes: string[] = [];
  const store = await open(t, directory, { onNote: (note) => notes.push(note) });
  t.strictSame(
    (await store.changesSince(0))?.map((change) => change.message),
    ['small', 'small again'],
  );
  t.same(notes, []);
});

t.test('a rest that could not be taken back is cut off before the next change', async (t) => {
  const directory = t.testdir();
  const store = await open(t, directory);
  await store.publish(changeOf([putCluster('a')]));
  appendFileSync(logOf(directory), '{"format":"feng');
  await store.publish(changeOf([putCluster('b')]));
  await store.close();
  const again = await open(t, directory);
  t.equal((await again.changesSince(0))?.length, 2);
});

t.test('a log that somebody shortened or removed is noticed before it is written to', async (t) => {
  const directory = t.testdir();
  const store = await open(t, directory);
  await publishMany(store, 2);
  truncateSync(logOf(directory), 100);
  await t.rejects(store.publish(changeOf([putCluster('c')])), /somebody else has shortened or removed it/);
  rmSync(logOf(directory));
  await t.rejects(store.publish(changeOf([putCluster('c')])), /somebody else has shortened or removed it/);
  await t.rejects(store.publish(changeOf([putCluster('c')])), /somebody else has shortened or removed it/);
  t.equal((await store.read())?.head?.revision, 2);
});

t.test('values that JSON turns into something else are refused before they are written', async (t) => {
  const store = await open(t, t.testdir());
  const operations = [{ op: 'put', kind: 'cluster', id: 'a', value: new Date() }] as unknown as Operation[];
  await t.rejects(store.publish(changeOf(operations)), /the value of a put is an object/);
  await t.rejects(store.publish(changeOf([], { actor: 7 as unknown as string })), /actor and message/);
  const huge = { op: 'put', kind: 'cluster', id: 'a', value: { x: 'x'.repeat(67_108_864) } };
  const error = await store.publish(changeOf([huge] as unknown as Operation[])).catch((reason) => reason);
  t.match(error, { problems: [{ message: /the limit, which is 67108864/, hint: /split it/ }] });
  for (const revisionFloor of [-1, 0.5, Number.MAX_SAFE_INTEGER]) {
    await t.rejects(store.publish(changeOf([], { revisionFloor })), /malformed.*floor/);
  }
});

t.test('more changes at once than can wait are refused, not piled up', async (t) => {
  const store = await open(t, t.testdir());
  const results = await Promise.allSettled(Array.from({ length: 1_005 }, () => store.publish(changeOf([]))));
  t.equal(results.filter((result) => result.status === 'fulfilled').length, 1_000);
  const refused = results.at(-1);
  t.match(refused, { reason: { message: /1000 requests to the store are waiting/, notWritten: true } });
  t.equal((await store.publish(changeOf([]))).revision, 1_001);
});

t.test('closing waits for the change that is being written', async (t) => {
  const directory = t.testdir();
  const store = await FileStore.open(directory);
  const published = store.publish(changeOf([putCluster('a')]));
  await store.close();
  t.equal((await published).revision, 1);
  t.equal((await (await open(t, directory)).read())?.head?.revision, 1);
});

t.test('two stores cannot use one directory at a time', async (t) => {
  const directory = t.testdir();
  const store = await open(t, directory);
  await t.rejects(
    FileStore.open(directory),
    new RegExp(`${directory} is in use .* process id ${process.pid}`),
  );
  await store.close();
  await open(t, directory);
});

t.test('a store that lost its lock writes no more', async (t) => {
  const directory = t.testdir();
  const store = await open(t, directory);
  await store.publish(changeOf([putCluster('a')]));
  rmSync(join(directory, 'store.lock'));
  const other = await open(t, directory);
  await t.rejects(store.publish(changeOf([putCluster('b')])), /no longer held by this process/);
  t.equal((await other.publish(changeOf([putCluster('c')]))).revision, 2);
});

t.test('another process holds the directory until it is killed', async (t) => {
  const directory = t.testdir();
  const child = start(t, 'hold', directory);
  await once(createInterface(child.stdout!), 'line');
  await t.rejects(
    FileStore.open(directory),
    new RegExp(`${directory} is in use .* process id ${child.pid}: stop it`),
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  await open(t, directory);
});

t.test('a process killed at any moment loses no change that it reported as written', async (t) => {
  const directory = t.testdir();
  let reported = 0;
  for (let round = 1; round <= 5; round += 1) {
    const child = start(t, 'until-killed', directory);
    const lines = createInterface(child.stdout!);
    const stopAt = reported + 5 * round + 3;
    lines.on('line', (line) => {
      reported = Number(line);
      if (reported >= stopAt) child.kill('SIGKILL');
    });
    await once(lines, 'close');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const store = await FileStore.open(directory, { compactAfterChanges: 7, keptLogs: 1_000 });
    const revision = (await store.read())?.head?.revision ?? 0;
    t.ok(revision >= reported, `reported ${reported}, found ${revision}`);
    t.equal((await store.changesSince(0))?.length, revision);
    reported = revision;
    await store.close();
  }
});
