import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { editExclusively } from '../../lib/auth/edit-lock.ts';

t.test('edits run one at a time, and leave nothing behind', async (t) => {
  const directory = t.testdir();
  const path = join(directory, 'file');
  let running = 0;
  let most = 0;
  const edit = () =>
    editExclusively(path, async (verify) => {
      running += 1;
      most = Math.max(most, running);
      await verify();
      running -= 1;
    });
  await Promise.all(Array.from({ length: 10 }, edit));
  t.equal(most, 1);
  t.same(readdirSync(directory), []);
});

t.test('an edit that fails gives the lock back', async (t) => {
  const path = join(t.testdir(), 'file');
  await t.rejects(
    editExclusively(path, () => Promise.reject(new Error('no'))),
    /no/,
  );
  t.equal(await editExclusively(path, async () => 'done'), 'done');
});

t.test('a lock whose owner died is taken over, by one of those who wait for it', async (t) => {
  const directory = t.testdir({ 'file.lock': 'somebody' });
  const path = join(directory, 'file');
  const order: number[] = [];
  const edits = [1, 2, 3].map((number) =>
    editExclusively(
      path,
      async (verify) => {
        await verify();
        order.push(number);
      },
      // Longer than a busy machine may keep one of these edits from going on.
      1_000,
    ),
  );
  await Promise.all(edits);
  t.same(order.toSorted(), [1, 2, 3]);
  t.same(readdirSync(directory), []);
});

t.test(
  'an edit whose lock was taken over does not write, and leaves the lock to its new owner',
  async (t) => {
    const path = join(t.testdir(), 'file');
    const edit = editExclusively(path, async (verify) => {
      writeFileSync(`${path}.lock`, 'another');
      await verify();
    });
    await t.rejects(edit, /was taken over by another process: try again/);
    t.ok(existsSync(`${path}.lock`));
  },
);

t.test('where no lock can be made there is no edit', async (t) => {
  await t.rejects(
    editExclusively(join(t.testdir(), 'missing', 'file'), async () => {}),
    /cannot create the lock .*ENOENT/,
  );
});
