/** What a writer is told of each worker. */
import t from 'tap';
import { AppliedChain } from '../../../lib/core/config/applied-chain.ts';
import {
  receiptsOf,
  type ServingInstance,
  type ServingWorker,
} from '../../../lib/core/config/change-receipts.ts';

const at = (revision: number) => ({ revision, id: `id-${revision}` });

function chainTo(revision: number): AppliedChain {
  const chain = new AppliedChain();
  for (let each = 1; each <= revision; each += 1) chain.add(at(each));
  return chain;
}

const worker = (revision: number | null, more: Partial<ServingWorker> = {}): ServingWorker => ({
  worker: 1,
  state: 'serving',
  revision,
  id: revision === null ? null : `id-${revision}`,
  ...more,
});

const instance = (
  workers: readonly ServingWorker[],
  more: Partial<ServingInstance> = {},
): ServingInstance => ({
  instance: 'one',
  configuration: { ...at(3), refused: null },
  store: { reachable: true },
  workers,
  ...more,
});

const problemOf = (status: ServingInstance, revision = 3, chain = chainTo(3)) =>
  receiptsOf(status, at(revision), chain)[0]?.problem;

t.test('one receipt a worker: ok where it serves the change, or one that followed it', (t) => {
  const workers = [worker(2), worker(3, { worker: 2 }), worker(1, { worker: 3 })];
  t.match(receiptsOf(instance(workers), at(2), chainTo(3)), [
    { instance: 'one', worker: 1, revision: 2, ok: true },
    { instance: 'one', worker: 2, revision: 3, ok: true },
    { instance: 'one', worker: 3, revision: 1, ok: false },
  ]);
  t.end();
});

t.test('one that serves has no problem', (t) => {
  t.same(receiptsOf(instance([worker(3)]), at(3), chainTo(3)), [
    { instance: 'one', worker: 1, revision: 3, ok: true },
  ]);
  t.end();
});

t.test('a worker that drains still answers requests, so it is waited for; one that has gone is not', (t) => {
  const workers = [
    worker(3, { state: 'draining' }),
    worker(1, { state: 'draining', worker: 2 }),
    worker(1, { state: 'gone', worker: 3 }),
  ];
  t.match(receiptsOf(instance(workers), at(3), chainTo(3)), [
    { worker: 1, ok: true },
    { worker: 2, ok: false, problem: 'the worker has not confirmed the change yet' },
  ]);
  t.equal(receiptsOf(instance(workers), at(3), chainTo(3)).length, 2);
  t.end();
});

t.test('one that starts is waited for, also where it holds the change already', (t) => {
  t.equal(problemOf(instance([worker(3, { state: 'starting' })])), 'the worker is starting');
  t.end();
});

t.test('an instance without workers serves nothing', (t) => {
  t.same(receiptsOf(instance([]), at(3), chainTo(3)), [
    { instance: 'one', worker: 0, revision: 3, ok: false, problem: 'it has no workers now' },
  ]);
  t.end();
});

t.test('a worker that never applied anything is at revision 0', (t) => {
  t.match(receiptsOf(instance([worker(null)]), at(3), chainTo(3)), [{ revision: 0, ok: false }]);
  t.end();
});

t.test('a greater number of a history that nobody here knows is no receipt', (t) => {
  t.match(receiptsOf(instance([worker(9)]), at(3), chainTo(3)), [{ revision: 9, ok: false }]);
  t.match(receiptsOf(instance([worker(3, { id: 'other' })]), at(3), chainTo(3)), [{ ok: false }]);
  t.end();
});

t.test('each reason why not is named, the one that matters most first', (t) => {
  const refused = { revision: 3, problems: [{ message: 'no such cluster' }, { message: 'another' }] };
  const refusing = { ...at(2), refused };
  const cut = { reachable: false };
  t.equal(
    problemOf(instance([worker(2)], { configuration: refusing, store: cut })),
    'the instance refuses the configuration: no such cluster',
  );
  t.equal(
    problemOf(
      instance([worker(2)], { configuration: { ...at(2), refused: { revision: null, problems: [] } } }),
    ),
    'the instance refuses the configuration: no reason given',
  );
  t.equal(
    problemOf(instance([worker(2)], { configuration: { ...at(2), refused: { ...refused, revision: 2 } } })),
    'the instance has not taken the change yet',
    'what was refused before the change is not the reason',
  );
  t.equal(problemOf(instance([worker(2)], { store: cut })), 'the instance cannot reach the store');
  t.equal(
    problemOf(instance([worker(2)]), 4),
    'the store does not hold the change any more, or this instance cannot tell',
  );
  t.equal(
    problemOf(instance([worker(2)], { configuration: { ...at(2), refused: null } })),
    'the instance has not taken the change yet',
  );
  t.equal(problemOf(instance([worker(2)])), 'the worker has not confirmed the change yet');
  t.end();
});
