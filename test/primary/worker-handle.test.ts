/** The life of a worker as the primary sees it, where messages come later than expected. */
import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import t from 'tap';
import type { ToPrimary } from '../../lib/ipc/protocol.ts';
import { MetricsHub } from '../../lib/primary/metrics-hub.ts';
import { WorkerHandle } from '../../lib/primary/worker-handle.ts';
import { parseMetrics } from '../helpers/prometheus-text.ts';

/** A handle on a process that is none, and what it told the primary. */
function createHandle() {
  const told: string[] = [];
  const worker = Object.assign(new EventEmitter(), {
    process: Object.assign(new EventEmitter(), { pid: 4711 }),
    isConnected: () => false,
  });
  const tell = (what: string) => () => told.push(what);
  const hub = new MetricsHub({
    workers: () => [],
    isConfigured: () => true,
    configurationRevision: () => 1,
    isRefused: () => false,
    isDegraded: () => false,
    storeCondition: () => ({ reachable: true, problem: null, since: '' }),
    isLastGoodUnsaved: () => false,
    unhealthyDestinations: () => 0,
    materialCounts: () => ({ current: 0, stale: 0, missing: 0 }),
    certificateExpiries: () => [],
    droppedConnections: () => 0,
    refusedConnections: () => 0,
  });
  t.teardown(() => hub.close());
  const handle = new WorkerHandle(1, 0, worker as unknown as Worker, {
    onStarted: tell('started'),
    onApplied: tell('applied'),
    onRejected: tell('rejected'),
    onAccepted: tell('accepted'),
    onMissed: tell('missed'),
    onClosed: tell('closed'),
    onSample: (from, collection, sample) => hub.onSample(from, collection, sample),
    onExplained: tell('explained'),
    onRefresh: tell('refresh'),
    onRateDemands: tell('rate demands'),
    onDrained: tell('drained'),
    onExit: (from) => {
      told.push('exit');
      hub.onWorkerGone(from);
    },
  });
  const send = (message: ToPrimary) => worker.emit('message', message);
  const exit = () => worker.emit('exit', null, 'SIGKILL');
  return { handle, told, send, exit, hub };
}

t.test('a worker that is to leave before it is up does not come into service', (t) => {
  const { handle, told, send } = createHandle();
  handle.state = 'draining';
  send({ type: 'started' });
  t.same([handle.state, told], ['draining', []]);
  t.end();
});

t.test('a worker that has gone stays gone, whatever is read of it afterwards', (t) => {
  const { handle, told, send, exit } = createHandle();
  exit();
  send({ type: 'started' });
  t.same([handle.state, told], ['gone', ['exit']]);
  t.end();
});

t.test('the last sample of a worker counts after its exit, but leaves nothing in flight', async (t) => {
  const { send, exit, hub } = createHandle();
  exit();
  send({
    type: 'sample',
    collection: 0,
    routes: [
      {
        route: 'r',
        cluster: 'c',
        statuses: [[200, 3]],
        durationBuckets: [3],
        durationSumSeconds: 0.001,
        upstreamErrors: [],
        retries: 0,
        rateLimited: 0,
        inFlightChange: 2,
      },
    ],
    connections: 2,
    webSockets: 0,
    handshakes: [],
    revision: 1,
    eventLoopLagSeconds: { mean: 0, p99: 0, max: 0 },
    residentBytes: 1,
    cpuSeconds: 1,
  });
  const metrics = parseMetrics(await hub.render());
  t.equal(metrics.get('gateway_requests_total{cluster="c",route="r",status="200"}'), 3);
  t.equal(metrics.get('gateway_requests_in_flight{cluster="c",route="r"}'), 0);
  t.notOk(metrics.has('gateway_worker_resident_memory_bytes{worker="1"}'));
});
