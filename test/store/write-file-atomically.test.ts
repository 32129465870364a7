import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { removeAbandonedFiles, writeFileAtomically } from '../../lib/store/write-file-atomically.ts';

t.test('writes a new file with the mode asked for', async (t) => {
  const directory = t.testdir();
  await writeFileAtomically(join(directory, 'a'), 'text');
  await writeFileAtomically(join(directory, 'b'), new Uint8Array([104, 105]), 0o640);
  t.equal(readFileSync(join(directory, 'a'), 'utf8'), 'text');
  t.equal(readFileSync(join(directory, 'b'), 'utf8'), 'hi');
  t.equal(statSync(join(directory, 'a')).mode & 0o777, 0o600);
  t.equal(statSync(join(directory, 'b')).mode & 0o777, 0o640);
  t.strictSame(readdirSync(directory), ['a', 'b']);
});

t.test('chunks are written as they come; where they break off the old content stays', async (t) => {
  const path = join(t.testdir({ file: 'old' }), 'file');
  async function* chunks(breaksOff: boolean): AsyncGenerator<Uint8Array> {
    for (const text of ['a', '', 'bc']) yield Buffer.from(text);
    if (breaksOff) throw new Error('no more');
  }
  await t.rejects(writeFileAtomically(path, chunks(true)), /cannot write .*file: no more/);
  t.equal(readFileSync(path, 'utf8'), 'old');
  t.strictSame(readdirSync(dirname(path)), ['file']);
  await writeFileAtomically(path, chunks(false));
  t.equal(readFileSync(path, 'utf8'), 'abc');
});

t.test('a reader finds the old content or the new, never a mixture', async (t) => {
  const path = join(t.testdir({ file: 'a'.repeat(1_000_000) }), 'file');
  let writing = true;
  const written = (async () => {
    for (const letter of 'bcdefghij') await writeFileAtomically(path, letter.repeat(1_000_000));
    writing = false;
  })();
  while (writing) {
    const content = readFileSync(path, 'latin1');
    if (content.length !== 1_000_000 || content !== content.charAt(0).repeat(1_000_000)) t.fail('a mixture');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await written;
  t.match(readFileSync(path, 'latin1'), /^j+$/);
});

t.test('writers of one file do not meet', async (t) => {
  const directory = t.testdir();
  const contents = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
  await Promise.all(contents.map((content) => writeFileAtomically(join(directory, 'file'), content)));
  t.ok(contents.includes(readFileSync(join(directory, 'file'), 'utf8')));
  t.strictSame(readdirSync(directory), ['file']);
});

t.test('a symbolic link is replaced, not followed', async (t) => {
  const directory = t.testdir({ target: 'untouched' });
  symlinkSync('target', join(directory, 'link'));
  await writeFileAtomically(join(directory, 'link'), 'new');
  t.equal(readFileSync(join(directory, 'target'), 'utf8'), 'untouched');
  t.equal(readFileSync(join(directory, 'link'), 'utf8'), 'new');
});

t.test('a failure names the file and the reason, and leaves no temporary file', async (t) => {
  const directory = t.testdir({ file: '' });
  mkdirSync(join(directory, 'busy'));
  await t.rejects(writeFileAtomically(join(directory, 'busy'), 'x'), {
    message: /^cannot write .*\/busy: .*\(EISDIR\)$/,
    cause: { code: 'EISDIR' },
  });
  await t.rejects(writeFileAtomically(join(directory, 'missing', 'x'), 'x'), /missing\/x: .*\(ENOENT\)/);
  await t.rejects(writeFileAtomically(join(directory, 'file', 'x'), 'x'), /file\/x: .*\(ENOTDIR\)/);
  await t.rejects(writeFileAtomically('/dev/null/x', 'x'), /ENOTDIR/);
  t.strictSame(readdirSync(directory), ['busy', 'file']);
});

t.test('what writers left when they died is removed once it is old', async (t) => {
  const directory = t.testdir();
  for (const name of ['file.1.tmp', 'file.2.tmp', 'other.1.tmp', 'file.json']) {
    writeFileSync(join(directory, name), '');
    if (name !== 'file.2.tmp') utimesSync(join(directory, name), 0, 0);
  }
  await removeAbandonedFiles(join(directory, 'file'));
  t.strictSame(readdirSync(directory), ['file.2.tmp', 'file.json', 'other.1.tmp']);
  await t.resolves(removeAbandonedFiles(join(directory, 'missing', 'file')));
});
