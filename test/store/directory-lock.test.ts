import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DirectoryLock } from '../../lib/store/directory-lock.ts';

const lockOf = (directory: string): string => join(directory, 'store.lock');

async function acquire(t: Test, directory: string, patienceMs?: number): Promise<DirectoryLock> {
  const lock = await DirectoryLock.acquire(directory, patienceMs);
  t.teardown(() => lock.release());
  return lock;
}

function writeLock(directory: string, owner: object): void {
  const defaults = { pid: process.pid, host: hostname(), startedAt: null, token: 'another' };
  writeFileSync(lockOf(directory), JSON.stringify({ ...defaults, ...owner }));
}

/** The id of a process that has ended. */
async function endedProcessId(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

t.test('a lock names its owner, and is gone once released', async (t) => {
  const directory = t.testdir();
  const lock = await DirectoryLock.acquire(directory);
  t.match(JSON.parse(readFileSync(lockOf(directory), 'utf8')), { pid: process.pid, host: hostname() });
  await t.rejects(
    DirectoryLock.acquire(directory),
    new RegExp(`${directory} is in use .*${process.pid}: stop it`),
  );
  await lock.verify();
  await lock.release();
  t.strictSame(readdirSync(directory), []);
});

t.test('a lock whose process no longer exists is taken over', async (t) => {
  const directory = t.testdir();
  writeLock(directory, { pid: await endedProcessId() });
  await (await acquire(t, directory)).verify();
  t.strictSame(readdirSync(directory), ['store.lock']);
});

t.test(
  'a lock of an earlier process with the same id, as in a restarted container, is taken over',
  async (t) => {
    const directory = t.testdir();
    writeLock(directory, { startedAt: 'another-boot/12345' });
    await acquire(t, directory);
  },
);

t.test('a process id that now belongs to something else does not hold a lock', async (t) => {
  const directory = t.testdir();
  writeLock(directory, { pid: process.ppid, startedAt: 'another-boot/12345' });
  await acquire(t, directory);
});

t.test('without start times, a living process holds its lock, and this one only those it took', async (t) => {
  const directory = t.testdir();
  writeLock(directory, { pid: process.ppid });
  await t.rejects(DirectoryLock.acquire(directory), /is in use/);
  writeLock(directory, { pid: process.pid });
  await acquire(t, directory);
});

t.test('a lock that was created and never written is taken over', async (t) => {
  for (const text of ['', '{"pid":"1","host":"h","token":"t","startedAt":null}', 'null']) {
    const directory = t.testdir();
    writeFileSync(lockOf(directory), text);
    const lock = await DirectoryLock.acquire(directory);
    await lock.release();
  }
});

t.test('a lock of another host is taken over unless it is renewed', async (t) => {
  const directory = t.testdir();
  writeLock(directory, { host: 'elsewhere' });
  const renewal = setInterval(() => utimesSync(lockOf(directory), new Date(), new Date()), 5);
  await t.rejects(DirectoryLock.acquire(directory, 500), /process id \d+ on elsewhere/);
  clearInterval(renewal);
  await acquire(t, directory, 50);
});

t.test('the owner renews its lock', async (t) => {
  const directory = t.testdir();
  const lock = await acquire(t, directory);
  const text = readFileSync(lockOf(directory), 'utf8');
  writeFileSync(lockOf(directory), text.replace(hostname(), 'elsewhere'));
  await t.rejects(DirectoryLock.acquire(directory), /on elsewhere/);
  await lock.verify();
});

t.test('many that find a stale lock at once: one takes it', async (t) => {
  const directory = t.testdir();
  writeLock(directory, { pid: await endedProcessId() });
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => DirectoryLock.acquire(directory)),
  );
  const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const valid = await Promise.allSettled(locks.map((lock) => lock.verify()));
  t.equal(valid.filter((result) => result.status === 'fulfilled').length, 1);
  for (const lock of locks) await lock.release();
  t.strictSame(readdirSync(directory), []);
});

t.test('a lock that somebody removed or replaced is noticed, and left to its new owner', async (t) => {
  const directory = t.testdir();
  const lock = await DirectoryLock.acquire(directory);
  rmSync(lockOf(directory));
  await t.rejects(lock.verify(), /no longer held by this process/);
  const next = await acquire(t, directory);
  await t.rejects(lock.verify(), /no longer held by this process/);
  await lock.release();
  await next.verify();
});

t.test('a directory that cannot hold a lock is a clear error', async (t) => {
  await t.rejects(DirectoryLock.acquire(join(t.testdir(), 'missing')), /cannot create the lock .*ENOENT/);
});
