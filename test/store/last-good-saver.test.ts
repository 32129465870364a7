import { mkdirSync, rmdirSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Head } from '../../lib/core/config/change.ts';
import { EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import type { Configuration } from '../../lib/core/config/model.ts';
import { LastGoodFile } from '../../lib/store/last-good-file.ts';
import { LastGoodSaver, type LastGoodSaverOptions } from '../../lib/store/last-good-saver.ts';

const AN_HOUR_MS = 3_600_000;

const headOf = (revision: number): Head => ({ revision, id: `id-${revision}`, parent: null, at: '' });
const configurationOf = (revision: number): Configuration => ({
  ...EMPTY_CONFIGURATION,
  routes: new Map([['a', { match: {}, cluster: `c-${revision}` }]]),
});

interface Saving {
  readonly file: LastGoodFile;
  readonly saver: LastGoodSaver;
  readonly outcomes: (string | null)[];
  /** Resolves with the next outcome that is told. */
  nextOutcome(): Promise<string | null>;
  note(revision: number): void;
  savedRevision(): Promise<number | null>;
}

function createSaving(t: Test, options: Partial<LastGoodSaverOptions> = {}): Saving {
  const file = new LastGoodFile(t.testdir());
  const outcomes: (string | null)[] = [];
  let waiting = Promise.withResolvers<string | null>();
  const saver = new LastGoodSaver(file, {
    source: 'file',
    isCurrent: () => true,
    onOutcome: (problem) => {
      outcomes.push(problem);
      waiting.resolve(problem);
      waiting = Promise.withResolvers();
    },
    minIntervalMs: AN_HOUR_MS,
    retryAfterMs: AN_HOUR_MS,
    ...options,
  });
  // The timers of the saver keep no process alive; a test that waits for one does.
  const alive = setInterval(() => {}, AN_HOUR_MS);
  t.teardown(() => clearInterval(alive));
  return {
    file,
    saver,
    outcomes,
    nextOutcome: () => waiting.promise,
    note: (revision) => saver.note(headOf(revision), configurationOf(revision)),
    savedRevision: async () => {
      const loaded = await file.load();
      return loaded.kind === 'loaded' ? loaded.head.revision : null;
    },
  };
}

/** Resolves when the file holds the revision; it is looked at between turns of the event loop. */
async function untilSaved({ savedRevision }: Saving, revision: number): Promise<void> {
  while ((await savedRevision()) !== revision) await new Promise((resolve) => setImmediate(resolve));
}

t.test('the first is saved at once, the next ones wait, and of them the newest counts', async (t) => {
  const saving = createSaving(t);
  saving.note(1);
  await untilSaved(saving, 1);
  for (const revision of [2, 3, 4]) saving.note(revision);
  t.equal(await saving.savedRevision(), 1);
  await saving.saver.flush();
  t.match(await saving.file.load(), {
    kind: 'loaded',
    source: 'file',
    head: headOf(4),
    document: { routes: { a: { cluster: 'c-4' } } },
  });
  t.strictSame(saving.outcomes, [], 'all went well, as before');
});

t.test('what waits is saved when its time has come, without another word', async (t) => {
  const saving = createSaving(t, { minIntervalMs: 20 });
  for (let revision = 1; revision <= 5; revision += 1) saving.note(revision);
  await untilSaved(saving, 5);
  saving.note(6);
  await untilSaved(saving, 6);
});

t.test('a configuration that has moved on is not saved under its old head', async (t) => {
  let current = 1;
  const saving = createSaving(t, { isCurrent: (head) => head.revision === current });
  const configuration = configurationOf(1);
  const routes = configuration.routes as Map<string, unknown>;
  saving.saver.note(headOf(1), configuration);
  await saving.saver.flush();
  current = 2;
  saving.saver.note(headOf(2), configuration);
  current = 3;
  routes.clear();
  await saving.saver.flush();
  t.match(await saving.file.load(), { head: headOf(1), document: { routes: { a: {} } } });
  saving.saver.note(headOf(3), configuration);
  await saving.saver.flush();
  t.match(await saving.file.load(), { head: headOf(3), document: { routes: {} } });
});

t.test('a save that fails is told once, and repeated by itself until it succeeds', async (t) => {
  const saving = createSaving(t, { minIntervalMs: 0, retryAfterMs: 5 });
  mkdirSync(saving.file.path);
  const failed = saving.nextOutcome();
  saving.note(1);
  t.match(await failed, /cannot write .*last-good\.json: .*EISDIR/);
  t.equal(saving.saver.problem, await failed);
  const succeeded = saving.nextOutcome();
  saving.note(2);
  await saving.saver.flush();
  await saving.saver.flush();
  t.equal(saving.outcomes.length, 1, 'the same failure is no news');
  rmdirSync(saving.file.path);
  t.equal(await succeeded, null);
  t.equal(saving.saver.problem, null);
  t.equal(await saving.savedRevision(), 2, 'the newest content');
});

t.test('a flush tries what is left once, and resolves whatever comes of it', async (t) => {
  const saving = createSaving(t);
  await saving.saver.flush();
  t.equal(await saving.savedRevision(), null);
  mkdirSync(saving.file.path);
  saving.note(1);
  await saving.saver.flush();
  t.match(saving.saver.problem, /EISDIR/);
  rmdirSync(saving.file.path);
  await saving.saver.flush();
  t.equal(saving.saver.problem, null);
  t.equal(await saving.savedRevision(), 1);
});

t.test('one that comes while another is being saved is flushed too', async (t) => {
  const saving = createSaving(t);
  saving.note(1);
  saving.note(2);
  await saving.saver.flush();
  t.equal(await saving.savedRevision(), 2);
});
