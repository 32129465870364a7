import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ChangingFile } from '../../lib/auth/changing-file.ts';

function parse(text: string | null): string {
  if (text?.startsWith('bad')) throw new Error('it is bad');
  return text ?? '(none)';
}

async function open(t: Test, text: string) {
  const path = join(t.testdir(), 'file');
  writeFileSync(path, text);
  const problems: string[] = [];
  const file = await ChangingFile.open(path, parse, (problem) => problems.push(problem));
  return { path, file, problems };
}

t.test('a change is seen 200 ms after the last look at the latest', async (t) => {
  const { path, file } = await open(t, 'one');
  t.equal(await file.current(1_000), 'one');
  writeFileSync(path, 'two');
  t.equal(await file.current(1_199), 'one');
  t.equal(await file.current(1_200), 'two');
});

t.test('what is unknown makes it look at once, five times a second at most', async (t) => {
  const { path, file } = await open(t, 'one');
  t.equal(await file.current(1_000), 'one');
  writeFileSync(path, 'two');
  t.equal(await file.latest(1_001), 'two');
  writeFileSync(path, 'three');
  t.equal(await file.latest(1_200), 'two');
  t.equal(await file.latest(1_201), 'three');
});

t.test('a clock that is set back does not stop it from looking', async (t) => {
  const { path, file } = await open(t, 'one');
  t.equal(await file.current(1_000_000), 'one');
  writeFileSync(path, 'two');
  t.equal(await file.current(5), 'two');
});

t.test('a file that breaks leaves the last good content, and is reported once', async (t) => {
  const { path, file, problems } = await open(t, 'one');
  writeFileSync(path, 'bad');
  t.equal(await file.current(1_000), 'one');
  t.equal(await file.current(2_000), 'one');
  t.same(problems, [`cannot use ${path}: it is bad`]);
  writeFileSync(path, 'two');
  t.equal(await file.current(3_000), 'two');
  rmSync(path);
  mkdirSync(path);
  t.equal(await file.current(4_000), 'two');
  t.match(problems[1], /cannot read .*: it is not a file/);
  rmSync(path, { recursive: true });
  t.equal(await file.current(5_000), '(none)');
});

t.test('those who ask at the same time share one look', async (t) => {
  const { path, file } = await open(t, 'one');
  writeFileSync(path, 'two');
  const asked = await Promise.all([file.current(1_000), file.latest(1_000), file.latest(1_000)]);
  t.same(asked, ['two', 'two', 'two']);
});

t.test('what cannot be used at the start is an error', async (t) => {
  await t.rejects(open(t, 'bad'), /cannot use .*file: it is bad/);
  await t.rejects(open(t, 'x'.repeat(1_048_577)), /larger than 1048576 bytes/);
});
