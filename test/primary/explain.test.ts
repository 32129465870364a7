/** Explanations by real worker processes, asked by the supervisor. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import type { ExplainRequest } from '../../lib/core/explain/explanation.ts';
import { Acceptor } from '../../lib/primary/acceptor.ts';
import { ConnectionCounts } from '../../lib/primary/connection-counts.ts';
import { Supervisor } from '../../lib/primary/supervisor.ts';
import { createLogger } from '../../lib/telemetry/logger.ts';
import { ChangeSignal } from '../helpers/change-signal.ts';
import { QUIET_SETTINGS } from './worker-settings.ts';

const WORKER_FILE = fileURLToPath(new URL('../../lib/worker/main.ts', import.meta.url));
const REQUEST: ExplainRequest = { method: 'GET', url: 'http://a.test/orders?x=1', headers: [] };

const configuration = {
  ...EMPTY_CONFIGURATION,
  clusters: new Map([['orders', { destinations: { only: { url: 'http://10.0.0.1:8080' } } }]]),
  routes: new Map([['orders', { cluster: 'orders', match: { path: '/{**rest}' } }]]),
};
const head = { epoch: 'e', revision: 5, id: 'five', parent: null, at: new Date(0).toISOString() };

function createSupervisor(workers: number) {
  const changed = new ChangeSignal();
  const acceptor = new Acceptor(new ConnectionCounts({ total: 0, perAddress: 0 }, []));
  const supervisor = new Supervisor(
    {
      workerFile: WORKER_FILE,
      workers,
      drainLimitMs: 100,
      settings: QUIET_SETTINGS,
    },
    acceptor,
    () => ({ head, configuration }),
    {
      onWorkersChanged: () => changed.notify(),
      onApplied: () => {},
      onWorkerState: () => {},
      onSample: () => {},
      onWorkerGone: () => {},
      onRefresh: () => {},
      onRateDemands: () => {},
      onRestart: () => {},
      onHopeless: () => {},
    },
    createLogger({ level: 'silent', pretty: false, base: {} }),
  );
  const serving = () => supervisor.workers.filter(({ state }) => state === 'serving');
  const waitUntilServing = (count: number) =>
    changed.waitFor(
      () => (serving().length === count ? serving() : undefined),
      20_000,
      () => `${serving().length} workers serve`,
    );
  return { supervisor, waitUntilServing };
}

t.test('the workers that serve are asked in turn; without one there is no answer', async (t) => {
  const { supervisor, waitUntilServing } = createSupervisor(2);
  await t.rejects(supervisor.explain(REQUEST), { message: 'no worker serves yet' });
  supervisor.start();
  t.teardown(() => supervisor.stop());
  await t.rejects(supervisor.explain(REQUEST), { message: 'no worker serves yet' });
  const [first, second] = await waitUntilServing(2);
  const explanations = [];
  for (let count = 0; count < 4; count += 1) explanations.push(await supervisor.explain(REQUEST));
  t.same(
    explanations.map(({ worker }) => worker),
    [first!.id, second!.id, first!.id, second!.id],
  );
  t.match(explanations[0], {
    revision: 5,
    route: 'orders',
    upstream: { target: '/orders?x=1' },
    pick: { destination: 'only' },
  });
  const huge = { ...REQUEST, headers: Array.from({ length: 10_000 }, () => ['x\ud800', 'y'] as const) };
  t.match(await supervisor.explain(huge), { refused: { code: 'GW_ERR_BAD_REQUEST' }, worker: first!.id });
});

t.test('a worker that dies over a question is told from one that answers', async (t) => {
  const { supervisor, waitUntilServing } = createSupervisor(1);
  supervisor.start();
  t.teardown(() => supervisor.stop());
  const [worker] = await waitUntilServing(1);
  process.kill(worker!.pid, 'SIGSTOP');
  const asked = supervisor.explain(REQUEST);
  worker!.kill();
  await t.rejects(asked, { message: `worker ${worker!.id} ended before it answered` });
  const [next] = await waitUntilServing(1);
  t.equal((await supervisor.explain(REQUEST)).worker, next!.id);
});
