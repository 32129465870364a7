import { readdirSync, statSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { openStateDirectory } from '../../lib/store/state-directory.ts';

t.test('is created for its owner only, with what leads to it', async (t) => {
  const path = join(t.testdir(), 'a', 'b');
  t.equal(await openStateDirectory(path), path);
  t.equal(statSync(path).mode & 0o777, 0o700);
});

t.test('one that is there is taken as it is, and nothing is left in it', async (t) => {
  const path = t.testdir({ file: 'content' });
  t.equal(await openStateDirectory(relative(process.cwd(), path)), path, 'the path is made absolute');
  t.strictSame(readdirSync(path), ['file']);
});

t.test('a file in its place is a clear error', async (t) => {
  const directory = t.testdir({ file: '' });
  await t.rejects(
    openStateDirectory(join(directory, 'file')),
    new RegExp(`the state directory ${directory}/file is a file: move it away`),
  );
  await t.rejects(
    openStateDirectory(join(directory, 'file', 'below')),
    /cannot create .*file\/below: .*ENOTDIR/,
  );
  symlinkSync('nowhere', join(directory, 'link'));
  await t.rejects(openStateDirectory(join(directory, 'link')), /cannot create the state directory .*link/);
});

t.test('one that cannot be written to is a clear error', async (t) => {
  // The kernel refuses new files here to everyone, root included.
  await t.rejects(openStateDirectory('/proc/self'), /cannot write to the state directory \/proc\/self: /);
});
