/** Configurations over the real channel to a real worker process. */
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Head, Operation } from '../../lib/core/config/change.ts';
import { applyOperations } from '../../lib/core/config/difference.ts';
import { EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import { ContentFingerprint, hashEntry } from '../../lib/core/config/fingerprint.ts';
import type { Cluster, Configuration, Route } from '../../lib/core/config/model.ts';
import { WORKER_SETTINGS_VARIABLE, type WorkerSettings } from '../../lib/ipc/protocol.ts';
import { type WorkerEvents, WorkerHandle } from '../../lib/primary/worker-handle.ts';
import { QUIET_SETTINGS } from './worker-settings.ts';

const SETTINGS: WorkerSettings = { ...QUIET_SETTINGS, workerId: 1, slot: 0, logLevel: 'error' };
const clusterOf = (port: number): Cluster => ({ destinations: { d: { url: `http://127.0.0.1:${port}` } } });
const routeTo = (path: string, index: number): Route => ({
  match: { hosts: [`h${index % 50}.test`], path },
  cluster: `c${index % 20}`,
});
const headOf = (revision: number): Head => ({ revision, id: `id-${revision}`, parent: null, at: '' });

function fingerprintOf(configuration: Configuration): string {
  const fingerprint = new ContentFingerprint();
  for (const [id, value] of configuration.clusters) fingerprint.add(hashEntry('cluster', id, value));
  for (const [id, value] of configuration.routes) fingerprint.add(hashEntry('route', id, value));
  return fingerprint.toString();
}

/** A worker process; `next` gives what happens to it next. */
function forkWorker() {
  const happened: string[] = [];
  const waiting: ((what: string) => void)[] = [];
  const note = (what: string) => {
    const resolve = waiting.shift();
    if (resolve === undefined) happened.push(what);
    else resolve(what);
  };
  const next = () =>
    new Promise<string>((resolve) => {
      const what = happened.shift();
      if (what === undefined) waiting.push(resolve);
      else resolve(what);
    });
  const ignore = () => {};
  const events: WorkerEvents = {
    onStarted: () => note('started'),
    onApplied: () => note('applied'),
    onRejected: (_worker, problem) => note(problem),
    onExplained: ignore,
    onAccepted: ignore,
    onMissed: ignore,
    onClosed: ignore,
    onSample: ignore,
    onRefresh: ignore,
    onRateDemands: ignore,
    onDrained: ignore,
    onExit: () => note('exit'),
  };
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('../../lib/worker/main.ts', import.meta.url)),
    args: [],
  });
  const worker = cluster.fork({ [WORKER_SETTINGS_VARIABLE]: JSON.stringify(SETTINGS) });
  const handle = new WorkerHandle(1, 0, worker, events);
  t.teardown(() => handle.kill());
  return { handle, next };
}

t.test('a worker holds what it was sent, as a whole, in large and in small changes', async (t) => {
  const { handle, next } = forkWorker();
  let current: Configuration = {
    ...EMPTY_CONFIGURATION,
    clusters: new Map(Array.from({ length: 20 }, (_, index) => [`c${index}`, clusterOf(1_000 + index)])),
    routes: new Map(
      Array.from({ length: 3_000 }, (_, index) => [`r${index}`, routeTo(`/a/${index}`, index)]),
    ),
  };
  const expect = async (revision: number) => {
    t.equal(await next(), 'applied');
    t.same(handle.channel.applied, { revision, id: `id-${revision}`, fingerprint: fingerprintOf(current) });
  };
  const publish = (revision: number, operations: readonly Operation[]) => {
    current = applyOperations(current, operations);
    handle.channel.publish({ ...headOf(revision), operations });
  };
  t.equal(await next(), 'started');
  handle.channel.start({ head: headOf(1), configuration: current });
  await expect(1);

  const moved = Array.from({ length: 1_500 }, (_, index) => routeTo(`/b/${index}`, index + 1));
  publish(2, [
    ...[3, 4, 25].map(
      (index): Operation => ({ op: 'put', kind: 'cluster', id: `c${index}`, value: clusterOf(index) }),
    ),
    ...moved.map((value, index): Operation => ({ op: 'put', kind: 'route', id: `r${2 * index}`, value })),
    ...Array.from(
      { length: 200 },
      (_, index): Operation => ({ op: 'delete', kind: 'route', id: `r${2 * index + 1}` }),
    ),
  ]);
  await expect(2);
  publish(3, [{ op: 'put', kind: 'route', id: 'r1', value: routeTo('/one', 1) }]);
  await expect(3);
});
