/** How one worker's configuration is kept in step, seen from the primary. */
import t from 'tap';
import type { Delta, Head, Operation } from '../../lib/core/config/change.ts';
import { applyOperations, diffConfigurations } from '../../lib/core/config/difference.ts';
import { EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import type { Configuration, Route } from '../../lib/core/config/model.ts';
import type { DestinationHealth } from '../../lib/core/health/health-report.ts';
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
    ...EMPTY_CONFIGURATION,
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
  const answer = (revision: number) =>
    channel.onApplied({ ...headOf(revision), fingerprint: `fingerprint-${revision}` });
  const parts = () =>
    sent.flatMap((message) => (message.type === 'transferPart' ? [message.operations] : []));
  return { channel, sent, leaving, letLeave, types, answer, parts };
}

const routesOf = (count: number, path = '/old') =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${index}`, path]));
const putsOf = (routes: Record<string, string>) =>
  Object.entries(routes).map(([id, path]) => putRoute(id, path));

/** A channel whose worker serves revision 1 with the given routes. */
function openServing(routes: Record<string, string> = {}) {
  const opened = openChannel();
  opened.channel.start({ head: headOf(1), configuration: configurationOf(routes) });
  opened.letLeave();
  opened.answer(1);
  opened.sent.length = 0;
  return opened;
}

t.test('a whole configuration goes out in slices, the next one when the one before has left', (t) => {
  const configuration = configurationOf(routesOf(1_501));
  const { channel, sent, leaving, letLeave, types, parts } = openChannel();
  channel.start({ head: headOf(1), configuration });
  t.same(types(), ['transferBegin', 'transferPart']);
  t.same([sent[0], leaving.length], [{ type: 'transferBegin', parent: null }, 1]);
  letLeave();
  t.same(sent.at(-1), { type: 'transferEnd', revision: 1, id: 'id-1' });
  t.ok(parts().length >= 3, `${parts().length} slices`);
  t.ok(Math.max(...parts().map(({ length }) => length)) <= 500);
  const built = applyOperations(EMPTY_CONFIGURATION, parts().flat());
  t.same(diffConfigurations(built, configuration), []);
  t.equal(parts()[0]?.[0]?.kind, 'cluster', 'clusters come first');
  t.end();
});

t.test('a whole configuration is what it was at the start, whatever its maps hold later', (t) => {
  const routes = new Map(Object.keys(routesOf(1_500)).map((id) => [id, routeTo('/old')]));
  const clusters = new Map([['c', { destinations: {} }]]);
  const { channel, letLeave, parts } = openChannel();
  channel.start({ head: headOf(1), configuration: { ...EMPTY_CONFIGURATION, clusters, routes } });
  const before = { ...EMPTY_CONFIGURATION, clusters: new Map(clusters), routes: new Map(routes) };
  routes.delete('r1499');
  routes.set('r1498', routeTo('/new'));
  routes.set('late', routeTo('/late'));
  clusters.clear();
  letLeave();
  const built = applyOperations(EMPTY_CONFIGURATION, parts().flat());
  t.same(diffConfigurations(built, before), []);
  t.end();
});

t.test('an empty configuration is one too', (t) => {
  const { channel, types } = openChannel();
  channel.start({ head: headOf(1), configuration: EMPTY_CONFIGURATION });
  t.same(types(), ['transferBegin', 'transferEnd']);
  t.end();
});

t.test('what is heavy has slices of its own', (t) => {
  const destinations = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`d${index}`, { url: 'http://127.0.0.1' }]),
  );
  const clusters = new Map(Array.from({ length: 10 }, (_, index) => [`c${index}`, { destinations }]));
  const { channel, letLeave, parts } = openChannel();
  channel.start({ head: headOf(1), configuration: { ...EMPTY_CONFIGURATION, clusters } });
  letLeave();
  t.equal(parts().length, 5);
  t.end();
});

t.test('a change before the start is not sent: the configuration has it', (t) => {
  const { channel, types, letLeave, answer } = openChannel();
  channel.publish(deltaTo(2, [putRoute('r', '/r')]));
  t.same(types(), []);
  channel.start({ head: headOf(2), configuration: configurationOf({ r: '/r' }) });
  letLeave();
  answer(2);
  t.notOk(types().includes('delta'));
  t.same(channel.applied, { revision: 2, id: 'id-2', fingerprint: 'fingerprint-2' });
  t.end();
});

t.test('changes during the first transfer are folded, and sent after its answer', (t) => {
  const { channel, sent, types, letLeave, answer, parts } = openChannel();
  channel.start({ head: headOf(1), configuration: configurationOf(routesOf(300)) });
  channel.publish(deltaTo(2, [putRoute('r299', '/second'), putRoute('new', '/new')]));
  letLeave();
  channel.publish(deltaTo(3, [putRoute('r299', '/third'), deleteRoute('new')]));
  t.notOk(types().includes('delta'), 'nothing overtakes the transfer');
  t.notOk(
    parts()
      .flat()
      .some(
        (operation) =>
          operation.op === 'put' && operation.kind === 'route' && operation.value.match.path !== '/old',
      ),
    'and nothing mixes into it',
  );
  t.match(sent.at(-1), { type: 'transferEnd', id: 'id-1' });

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
  t.same(channel.applied, { revision: 5, id: 'id-5', fingerprint: 'fingerprint-5' });
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

t.test('what is too large for one go is a transfer that follows what the worker holds', (t) => {
  const { channel, sent, types, letLeave, answer, parts } = openServing(routesOf(2_000));
  const operations = [...putsOf(routesOf(1_200, '/new')), deleteRoute('r1999')];
  channel.publish(deltaTo(2, operations));
  t.same(types(), ['transferBegin', 'transferPart']);
  t.same(sent[0], { type: 'transferBegin', parent: 'id-1' });

  channel.publish(deltaTo(3, [putRoute('r0', '/third')]));
  channel.publish(deltaTo(4, [putRoute('r0', '/fourth')]));
  letLeave();
  t.same(sent.at(-1), { type: 'transferEnd', revision: 2, id: 'id-2' });
  t.same(parts().flat(), operations);
  answer(2);
  t.same(sent.at(-1), {
    type: 'delta',
    revision: 4,
    id: 'id-4',
    parent: 'id-2',
    operations: [putRoute('r0', '/fourth')],
  });
  t.end();
});

t.test('small changes that together are large go as one transfer', (t) => {
  const { channel, sent, types, letLeave, answer, parts } = openServing();
  channel.publish(deltaTo(2, [putRoute('first', '/first')]));
  const operations = putsOf(routesOf(700, '/new'));
  for (const [index, operation] of operations.entries()) channel.publish(deltaTo(3 + index, [operation]));
  channel.publish(deltaTo(703, [putRoute('r0', '/last')]));
  t.equal(sent.length, 1);
  answer(2);
  letLeave();
  t.same(types(), ['delta', 'transferBegin', 'transferPart', 'transferPart', 'transferEnd']);
  t.match([sent[1], sent.at(-1)], [{ parent: 'id-2' }, { revision: 703 }]);
  t.same(parts().flat(), [putRoute('r0', '/last'), ...operations.slice(1)]);
  t.end();
});

t.test('very many operations go as they came, which leads to the same', (t) => {
  const { channel, letLeave, answer, parts } = openServing();
  channel.publish(deltaTo(2, [putRoute('first', '/first')]));
  channel.publish(deltaTo(3, putsOf(routesOf(11_000, '/new'))));
  channel.publish(deltaTo(4, [putRoute('r0', '/last'), deleteRoute('r1')]));
  answer(2);
  letLeave();
  const built = applyOperations(EMPTY_CONFIGURATION, parts().flat());
  t.same(
    [built.routes.get('r0')?.match.path, built.routes.has('r1'), built.routes.size],
    ['/last', false, 10_999],
  );
  t.end();
});

t.test('one operation that cannot be divided is no reason for a transfer', (t) => {
  const { channel, types } = openServing();
  const destinations = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [`d${index}`, { url: 'http://127.0.0.1' }]),
  );
  channel.publish(deltaTo(2, [{ op: 'put', kind: 'cluster', id: 'c', value: { destinations } }]));
  t.same(types(), ['delta']);
  t.end();
});

const unhealthy = (destination: string): DestinationHealth => ({ cluster: 'c', destination, healthy: false });
const healthIn = (sent: readonly ToWorker[]) =>
  sent.flatMap((message) => (message.type === 'health' ? message.destinations : []));

t.test('a new worker knows the health of destinations before its configuration', (t) => {
  const { channel, sent, types, letLeave } = openChannel();
  channel.start({ head: headOf(1), configuration: configurationOf({}) }, [unhealthy('a')]);
  t.same(types(), ['health', 'transferBegin', 'transferPart']);
  letLeave();
  t.same(healthIn(sent), [unhealthy('a')]);
  t.end();
});

t.test('much of it goes in slices, and the configuration still comes after all of it', (t) => {
  const { channel, sent, types, letLeave } = openChannel();
  const health = Array.from({ length: 1_201 }, (_, index) => unhealthy(`d${index}`));
  channel.start({ head: headOf(1), configuration: configurationOf({}) }, health);
  t.same(types(), ['health']);
  letLeave();
  t.same(types(), ['health', 'health', 'health', 'transferBegin', 'transferPart', 'transferEnd']);
  t.same(healthIn(sent), health);
  t.end();
});

t.test(
  'health goes out at once, also amid a transfer, and the last word on a destination comes last',
  (t) => {
    const { channel, sent, types, leaving, letLeave } = openServing();
    channel.publish(deltaTo(2, putsOf(routesOf(700))));
    channel.sendHealth([unhealthy('a')]);
    t.same(types(), ['transferBegin', 'transferPart', 'health']);
    channel.sendHealth([{ ...unhealthy('a'), healthy: true }, unhealthy('b')]);
    channel.sendHealth([unhealthy('a')]);
    t.equal(leaving.length, 2, 'one of each kind is on its way');
    letLeave();
    t.same(healthIn(sent), [unhealthy('a'), unhealthy('a'), unhealthy('b')]);
    t.equal(types().at(-1), 'transferEnd');
    t.end();
  },
);

t.test('health before the start is not sent: the start has it', (t) => {
  const { channel, types } = openChannel();
  channel.sendHealth([unhealthy('a')]);
  t.same(types(), []);
  t.end();
});

t.test('the wait for an answer is counted from the last slice', (t) => {
  const { channel, leaving, answer } = openServing();
  channel.publish(deltaTo(2, putsOf(routesOf(1_200))));
  const nowMs = () => performance.now() + 1_000;
  for (let next = leaving.shift(); next !== undefined; next = leaving.shift()) {
    const beforeMs = performance.now();
    next();
    t.ok(channel.waitingMs(nowMs()) <= nowMs() - beforeMs);
  }
  t.ok(channel.waitingMs(nowMs()) >= 1_000);
  answer(2);
  t.equal(channel.waitingMs(nowMs()), 0);
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
