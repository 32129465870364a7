import t from 'tap';
import { runAtOnce, type SlicedWork, WorkQueue } from '../../lib/worker/work-queue.ts';

function* note(list: string[], name: string, steps: number): SlicedWork {
  for (let step = 1; step <= steps; step += 1) {
    list.push(`${name}${step}`);
    yield;
  }
}
const finished = (queue: WorkQueue) => new Promise<void>((resolve) => queue.add(signal(resolve)));
function* signal(resolve: () => void): SlicedWork {
  resolve();
  yield;
}

t.test('work that fits into a slice is done on return', (t) => {
  const list: string[] = [];
  const queue = new WorkQueue(1_000);
  queue.add(note(list, 'a', 3));
  t.same(list, ['a1', 'a2', 'a3']);
  t.end();
});

t.test('the event loop goes on between two slices, and nothing overtakes what came before', async (t) => {
  const list: string[] = [];
  const queue = new WorkQueue(0);
  queue.add(note(list, 'a', 3));
  t.same(list, ['a1'], 'one slice');
  queue.add(note(list, 'b', 1));
  setImmediate(() => list.push('other'));
  await finished(queue);
  t.same(
    list.filter((entry) => entry !== 'other'),
    ['a1', 'a2', 'a3', 'b1'],
  );
  t.ok(list.indexOf('other') < list.indexOf('b1'));
});

t.test('work that adds work has it done after itself', async (t) => {
  const list: string[] = [];
  const queue = new WorkQueue(1_000);
  function* outer(): SlicedWork {
    queue.add(note(list, 'inner', 1));
    list.push('outer');
    yield;
  }
  queue.add(outer());
  t.same(list, ['outer', 'inner1']);
});

t.test('work can be done without a queue', (t) => {
  const list: string[] = [];
  runAtOnce(note(list, 'a', 2));
  t.same(list, ['a1', 'a2']);
  t.end();
});
