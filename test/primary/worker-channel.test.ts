/** How one worker's configuration is kept in step, seen from the primary. */
import t from 'tap';
import type { Delta, Head, Operation } from '../../lib/core/config/change.ts';
import { applyOperations, diffConfigurations } from '../../lib/core/config/difference.ts';
import type { Configuration, Route } from '../../lib/core/config/model.ts';
import type { ToWorker } from '../../lib/ipc/protocol.ts';
import { WorkerChannel } from '../../lib/primary/worker-channel.ts';

const headOf = (revision: number): Head => ({
  revision,
  id: `id-${revision}`,
  parent: revision === 1 ? null : `id-${revision - 1}`,
  at: '2024-01-01T00:00:00.000Z',
});

const routeTo = (path: string): Route => ({ match: { path }, cluster: 'c' });

function configurationOf(routes: Record<string, string>): Configuration {
  return {
    clusters: new Map([['c', { destinations: {} }]]),
    routes: new Map(Object.entries(routes).map(([id, path]) => [id, routeTo(path)])),
  };
}

function deltaTo(revision: number, operations: readonly Operation[]): Delta {
  return { ...headOf(revision), operations };
}

const putRoute = (id: string, path: string): Operation => ({
  op: 'put',
  kind: 'route',
  id,
  value: routeTo(path),
});
const deleteRoute = (id: string): Operation => ({ op: 'delete', kind: 'route', id });

/** The way to a worker: what was sent, and the callbacks of what has not left yet. */
function openChannel() {
  const sent: ToWorker[] = [];
  const leaving: (() => void)[] = [];
  const channel = new WorkerChannel((message, onSent) => {
    sent.push(message);
    if (onSent !== undefined) leaving.push(onSent);
  });
  /** Lets everything leave, also what is sent because of that. */
  const letLeave = () => {
    for (let next = leaving.shift(); next !== undefined; next = leaving.shift()) next();
  };
  const types = () => sent.map(({ type }) => type);
  const answer = (revision: number) => channel.onApplied(headOf(revision));
  return { channel, sent, leaving, letLeave, types, answer };
}

/** A channel whose worker serves revision 1 with the given routes. */
function openServing(routes: Record<string, string> = {}) {
  const opened = openChannel();
  opened.channel.start({ head: headOf(1), configuration: configurationOf(routes) });
  opened.letLeave();
  opened.answer(1);
  opened.sent.length = 0;
  return opened;
}

t.test('a snapshot goes out in slices, the next one when the one before has left', (t) => {
  const routes = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`r${index}`, `/${index}`]));
  const configuration = configurationOf(routes);
  const { channel, sent, leaving, letLeave, types } = openChannel();
  channel.start({ head: headOf(1), configuration });
  t.same(types(), ['snapshotBegin', 'snapshotPart']);
  t.equal(leaving.length, 1);
  letLeave();
  t.equal(types().at(-1), 'snapshotEnd');
  t.match(sent.at(-1), { revision: 1, id: 'id-1' });
  const parts = sent.flatMap((message) => (message.type === 'snapshotPart' ? [message.operations] : []));
  t.ok(parts.length >= 5, `${parts.length} slices`);
  t.ok(Math.max(...parts.map(({ length }) => length)) <= 200);
  const built = applyOperations({ clusters: new Map(), routes: new Map() }, parts.flat());
  t.same(diffConfigurations(built, configuration), []);
  t.equal(parts[0]?.[0]?.kind, 'cluster', 'clusters come first');
  t.end();
});

t.test('an empty configuration is a snapshot too', (t) => {
  const { channel, types } = openChannel();
  channel.start({ head: headOf(1), configuration: { clusters: new Map(), routes: new Map() } });
  t.same(types(), ['snapshotBegin', 'snapshotEnd']);
  t.end();
});

t.test('a change before the start is not sent: the snapshot has it', (t) => {
  const { channel, types, letLeave, answer } = openChannel();
  channel.publish(deltaTo(2, [putRoute('r', '/r')]));
  t.same(types(), []);
  channel.start({ head: headOf(2), configuration: configurationOf({ r: '/r' }) });
  letLeave();
  answer(2);
  t.notOk(types().includes('delta'));
  t.same(channel.applied, { revision: 2, id: 'id-2' });
  t.end();
});

t.test('changes during the snapshot are folded, and sent after its answer', (t) => {
  const { channel, sent, types, letLeave, answer } = openChannel();
  const routes = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`r${index}`, '/old']));
  channel.start({ head: headOf(1), configuration: configurationOf(routes) });
  channel.publish(deltaTo(2, [putRoute('r299', '/second'), putRoute('new', '/new')]));
  letLeave();
  channel.publish(deltaTo(3, [putRoute('r299', '/third'), deleteRoute('new')]));
  t.notOk(types().includes('delta'), 'nothing overtakes the snapshot');
  const parts = sent.flatMap((message) => (message.type === 'snapshotPart' ? message.operations : []));
  t.notOk(
    parts.some(
      (operation) =>
        operation.op === 'put' && operation.kind === 'route' && operation.value.match.path !== '/old',
    ),
    'and nothing mixes into it',
  );
  t.match(sent.at(-1), { type: 'snapshotEnd', id: 'id-1' });

  answer(1);
  t.same(sent.at(-1), {
    type: 'delta',
    revision: 3,
    id: 'id-3',
    parent: 'id-1',
    operations: [putRoute('r299', '/third'), deleteRoute('new')],
  });
  t.equal(types().filter((type) => type === 'delta').length, 1);
  t.end();
});

t.test('there are never two deltas under way', (t) => {
  const { channel, sent, answer } = openServing({ a: '/1' });
  channel.publish(deltaTo(2, [putRoute('a', '/2')]));
  t.match(sent, [{ type: 'delta', parent: 'id-1', id: 'id-2' }]);
  channel.publish(deltaTo(3, [putRoute('a', '/3')]));
  channel.publish(deltaTo(4, [putRoute('a', '/4'), putRoute('b', '/4')]));
  channel.publish(deltaTo(5, [deleteRoute('b')]));
  t.equal(sent.length, 1);

  answer(2);
  t.equal(sent.length, 2);
  t.same(sent[1], {
    type: 'delta',
    revision: 5,
    id: 'id-5',
    parent: 'id-2',
    operations: [putRoute('a', '/4'), deleteRoute('b')],
  });
  answer(5);
  t.equal(sent.length, 2, 'nothing is left');
  t.same(channel.applied, { revision: 5, id: 'id-5' });
  t.end();
});

t.test('each change goes out at once where nothing is under way', (t) => {
  const { channel, sent, answer } = openServing();
  for (const revision of [2, 3]) {
    channel.publish(deltaTo(revision, [putRoute('a', `/${revision}`)]));
    answer(revision);
  }
  t.match(sent, [
    { id: 'id-2', parent: 'id-1' },
    { id: 'id-3', parent: 'id-2' },
  ]);
  t.equal(sent.length, 2);
  t.end();
});

t.test('the wait for an answer begins with sending and ends with the answer', (t) => {
  const { channel, answer } = openServing();
  const later = () => performance.now() + 1_000;
  t.equal(channel.waitingMs(later()), 0);
  channel.publish(deltaTo(2, [putRoute('a', '/a')]));
  t.ok(channel.waitingMs(later()) >= 1_000);
  answer(2);
  t.equal(channel.waitingMs(later()), 0);
  t.end();
});
