/** Materials that are files: changed, replaced, swapped, lost, and no files at all. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { FileMaterials } from '../../../lib/primary/materials/file-materials.ts';
import type { MaterialReading } from '../../../lib/primary/materials/material-source.ts';
import { ChangeSignal } from '../../helpers/change-signal.ts';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';

const run = promisify(execFile);

class WatchedFiles {
  readonly files: FileMaterials;
  readonly directory: string;
  readonly told: (readonly MaterialReading[])[] = [];
  readonly #changed = new ChangeSignal();

  constructor(directory: string) {
    this.directory = directory;
    this.files = new FileMaterials((readings) => {
      this.told.push(readings);
      this.#changed.notify();
    }, 20);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  add(...names: string[]): void {
    this.files.add(names.map((name) => `file:${this.path(name)}`));
  }

  write(name: string, text: string | Uint8Array): Promise<void> {
    return writeFile(this.path(name), text);
  }

  last(name: string): MaterialReading | undefined {
    return this.told.flat().findLast((reading) => reading.name === `file:${this.path(name)}`);
  }

  until(name: string, isIt: (reading: MaterialReading) => boolean): Promise<MaterialReading> {
    return this.#changed.waitFor(
      () => {
        const reading = this.last(name);
        return reading !== undefined && isIt(reading) ? reading : undefined;
      },
      10_000,
      () => JSON.stringify(this.told.slice(-5)),
    );
  }

  untilHolds(name: string, value: string): Promise<MaterialReading> {
    return this.until(name, (reading) => reading.value === value && reading.problem === null);
  }
}

async function watchFiles(t: Test): Promise<WatchedFiles> {
  const watched = new WatchedFiles(await createTemporaryDirectory(t));
  t.teardown(() => watched.files.close());
  return watched;
}

t.test('a file is read at once, and again when it is written or replaced', async (t) => {
  const watched = await watchFiles(t);
  await watched.write('key', 'first');
  watched.add('key');
  await watched.untilHolds('key', 'first');
  await watched.write('key', 'second');
  await watched.untilHolds('key', 'second');
  await watched.write('key.new', 'third!');
  await rename(watched.path('key.new'), watched.path('key'));
  await watched.untilHolds('key', 'third!');
});

t.test('directories that Kubernetes swaps by a symbolic link are seen', async (t) => {
  const watched = await watchFiles(t);
  for (const version of ['v1', 'v2']) {
    await mkdir(watched.path(version));
    await watched.write(`${version}/token`, version);
  }
  await symlink('v1', watched.path('..data'));
  await symlink('..data/token', watched.path('token'));
  watched.add('token');
  await watched.untilHolds('token', 'v1');
  await symlink('v2', watched.path('..data_tmp'));
  await rename(watched.path('..data_tmp'), watched.path('..data'));
  await watched.untilHolds('token', 'v2');
});

t.test('a certificate and its key, written one after the other, are told together', async (t) => {
  const watched = await watchFiles(t);
  await watched.write('cert', 'cert 1');
  await watched.write('key', 'key 1');
  watched.add('cert', 'key');
  await watched.untilHolds('key', 'key 1');
  let newest: (string | null)[] = [];
  // On a busy machine so much may lie between the two that they are told one by one.
  for (let version = 2; version < 20 && newest.length !== 2; version += 1) {
    await watched.write('cert', `cert ${version}`);
    // Long enough for several looks at the files.
    await delay(60);
    await watched.write('key', `key ${version}`);
    await watched.untilHolds('key', `key ${version}`);
    newest = watched.told.at(-1)?.map(({ value }) => value?.slice(0, 4) ?? null) ?? [];
  }
  t.same(newest, ['cert', 'key ']);
});

t.test('what is gone, empty or unreadable leaves the last good value in use, and says why', async (t) => {
  const watched = await watchFiles(t);
  await watched.write('key', 'good');
  watched.add('key');
  await watched.untilHolds('key', 'good');
  const outcomes: [() => Promise<unknown>, RegExp][] = [
    [() => rm(watched.path('key')), /^cannot read .*key: no such file or directory \(ENOENT\)$/],
    [() => watched.write('key', ' \n'), /: it is empty$/],
    [() => watched.write('key', Buffer.from([0x61, 0xff, 0xfe])), /: it is not text in UTF-8/],
    [() => watched.write('key', 'x'.repeat(1_048_577)), /: it is larger than 1048576 bytes$/],
    [() => rm(watched.path('key')).then(() => mkdir(watched.path('key'))), /: it is not a file$/],
  ];
  for (const [spoil, problem] of outcomes) {
    await spoil();
    const reading = await watched.until('key', (one) => problem.test(one.problem ?? ''));
    t.equal(reading.value, 'good');
  }
  await rm(watched.path('key'), { recursive: true });
  await watched.write('key', 'better');
  await watched.untilHolds('key', 'better');
});

t.test('a file that was never there is said to be missing at once, and taken when it comes', async (t) => {
  const watched = await watchFiles(t);
  watched.add('late');
  const reading = await watched.until('late', () => true);
  t.match(reading, { value: null, problem: /ENOENT/ });
  await watched.write('late', 'here');
  await watched.untilHolds('late', 'here');
});

t.test('a file as large as may be is read whole', async (t) => {
  const watched = await watchFiles(t);
  const text = 'ä'.repeat(524_288);
  await watched.write('large', text);
  watched.add('large');
  await watched.untilHolds('large', text);
});

t.test('a named pipe is refused, without waiting for a writer', async (t) => {
  const watched = await watchFiles(t);
  await run('mkfifo', [watched.path('pipe')]);
  watched.add('pipe');
  t.match(await watched.until('pipe', () => true), { value: null, problem: /it is not a file$/ });
  await watched.write('other', 'fine');
  watched.add('other');
  await watched.untilHolds('other', 'fine');
});

t.test('a file that never comes to rest does not keep the others waiting', async (t) => {
  const watched = await watchFiles(t);
  await watched.write('restless', '0');
  await watched.write('calm', 'before');
  watched.add('restless', 'calm');
  await watched.untilHolds('calm', 'before');
  let isWriting = true;
  const writing = (async () => {
    for (; isWriting; await delay(10)) await watched.write('restless', String(performance.now()));
  })();
  t.teardown(() => {
    isWriting = false;
    return writing;
  });
  await watched.write('calm', 'after');
  await watched.untilHolds('calm', 'after');
});

t.test('of a file that is needed no more nothing is said', async (t) => {
  const watched = await watchFiles(t);
  await watched.write('left', 'one');
  await watched.write('stays', 'one');
  watched.add('left', 'stays');
  await watched.untilHolds('left', 'one');
  watched.files.remove(`file:${watched.path('left')}`);
  await watched.write('left', 'two');
  await watched.write('stays', 'two');
  await watched.untilHolds('stays', 'two');
  await chmod(watched.path('stays'), 0o600);
  await watched.write('stays', 'three');
  await watched.untilHolds('stays', 'three');
  t.equal(watched.last('left')?.value, 'one');
});

t.test('many files are read, each with its own content', async (t) => {
  const watched = await watchFiles(t);
  const names = Array.from({ length: 200 }, (_, index) => `f${index}`);
  await Promise.all(names.map((name) => watched.write(name, `content of ${name}`)));
  watched.add(...names);
  for (const name of names) await watched.untilHolds(name, `content of ${name}`);
});
