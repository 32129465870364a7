/** How many instances there are, as the state directory keeps it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { InstanceCountFile } from '../../lib/store/instance-count-file.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';

function openFile(directory: string): { file: InstanceCountFile; problems: string[] } {
  const problems: string[] = [];
  return { file: new InstanceCountFile(directory, (problem) => problems.push(problem)), problems };
}

async function createFile(t: Test) {
  const directory = await createTemporaryDirectory(t);
  return { directory, ...openFile(directory) };
}

t.test('without a file an instance is alone', async (t) => {
  const { file, problems } = await createFile(t);
  t.equal(await file.load(), 1);
  t.same(problems, []);
});

t.test('what was kept last is there the next time', async (t) => {
  const { directory, file } = await createFile(t);
  for (const count of [2, 3, 4, 3]) file.save(count);
  await file.flush();
  t.equal(await openFile(directory).file.load(), 3);
  for (const count of [3, 1]) {
    file.save(count);
    await file.flush();
  }
  t.equal(await openFile(directory).file.load(), 1);
});

t.test('a damaged file is told, and tells nothing', async (t) => {
  const { directory, file } = await createFile(t);
  file.save(3);
  await file.flush();
  const text = await readFile(file.path, 'utf8');
  for (const damaged of [text.replace('3', '2'), '', 'null', text.replace('instances/1', 'instances/2')]) {
    await writeFile(file.path, damaged);
    const { file: reopened, problems } = openFile(directory);
    t.equal(await reopened.load(), 1);
    t.match(problems, [file.path]);
  }
});

t.test('a file that cannot be read or written is told, and stops nothing', async (t) => {
  const { directory, file, problems } = await createFile(t);
  await mkdir(file.path);
  t.equal(await file.load(), 1);
  file.save(2);
  await file.flush();
  t.match(problems, [file.path, file.path]);
  const elsewhere = openFile(`${directory}/missing`);
  elsewhere.file.save(2);
  await elsewhere.file.flush();
  elsewhere.file.save(3);
  await elsewhere.file.flush();
  t.equal(elsewhere.problems.length, 2, 'it is tried again');
});
