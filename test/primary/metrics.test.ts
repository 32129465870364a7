/** The counts of all workers, merged: exact, and never running backwards. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { findServerPort } from '../helpers/server-port.ts';
import { get, listWorkers, waitForMetrics, waitForWorkers } from '../helpers/worker-processes.ts';

type Metrics = ReadonlyMap<string, number>;

const held: OriginConnection[] = [];
const origin = await startOrigin(
  (request, connection) => {
    if (request.target === '/held') held.push(connection);
    else connection.answer({ status: Number(request.target.slice(1)) });
  },
  { owner: t },
);
const dead = `http://127.0.0.1:${await findServerPort()}`;
const route = (path: string, cluster: string, rewrite?: object) => ({
  match: { path },
  cluster,
  ...(rewrite && { rewrite }),
});

const gateway = await startGateway(t, {
  workers: 2,
  accessLog: 'off',
  config: {
    clusters: {
      good: { destinations: { one: { url: origin.url } } },
      dead: { destinations: { one: { url: dead } }, retry: { attempts: 1, on: ['connect'] } },
      half: {
        loadBalancing: { policy: 'roundRobin' },
        destinations: { one: { url: dead }, two: { url: origin.url } },
        retry: { attempts: 2, on: ['connect'] },
      },
    },
    routes: {
      first: route('/first/{status}', 'good', { removePrefix: '/first' }),
      second: route('/second/{status}', 'good', { removePrefix: '/second' }),
      dead: route('/dead', 'dead'),
      retried: route('/retried/{status}', 'half', { removePrefix: '/retried' }),
      held: route('/held', 'good'),
    },
  },
});

async function ask(path: string, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let count = 0; count < times; count += 1) statuses.push((await get(gateway.port, path)).status);
  return statuses;
}

const requestsOf = (metrics: Metrics, id: string, cluster: string, status: number) =>
  metrics.get(`gateway_requests_total{cluster="${cluster}",route="${id}",status="${status}"}`) ?? 0;
const inFlightOf = (metrics: Metrics, id: string, cluster: string) =>
  metrics.get(`gateway_requests_in_flight{cluster="${cluster}",route="${id}"}`) ?? 0;

/** Waits until a route has counted so many requests, and gives the metrics once more, to catch a count too far. */
async function countedUpTo(id: string, cluster: string, count: number): Promise<Metrics> {
  const key = `gateway_request_duration_seconds_count{cluster="${cluster}",route="${id}"}`;
  await waitForMetrics(gateway, (seen) => (seen.get(key) ?? 0) >= count);
  return gateway.metrics();
}

t.test('requests by route, cluster and status, over all workers', async (t) => {
  await ask('/first/200', 6);
  await ask('/first/404', 3);
  await ask('/first/503', 2);
  await ask('/second/200', 5);
  await countedUpTo('second', 'good', 5);
  const metrics = await countedUpTo('first', 'good', 11);
  t.same(
    [200, 404, 503].map((status) => requestsOf(metrics, 'first', 'good', status)),
    [6, 3, 2],
  );
  t.equal(requestsOf(metrics, 'second', 'good', 200), 5);
  t.equal(inFlightOf(metrics, 'first', 'good'), 0);
});

t.test('what matches no route is counted under an empty one', async (t) => {
  const before = requestsOf(await gateway.metrics(), '', '', 404);
  await ask('/nowhere', 3);
  const metrics = await waitForMetrics(gateway, (seen) => requestsOf(seen, '', '', 404) >= before + 3);
  t.equal(requestsOf(metrics, '', '', 404), before + 3);
  const paths = [...metrics.keys()].filter((name) => name.includes('nowhere'));
  t.same(paths, [], 'no path becomes a label');
});

t.test('the histogram of durations is cumulative and counts every request', async (t) => {
  await ask('/second/201', 4);
  const metrics = await waitForMetrics(gateway, (seen) => requestsOf(seen, 'second', 'good', 201) >= 4);
  const labels = 'cluster="good",route="second"';
  const buckets = [...metrics]
    .map(([name, value]) => ({
      bound: /_bucket\{cluster="good",le="(.+)",route="second"\}/.exec(name)?.[1],
      value,
    }))
    .filter(({ bound }) => bound !== undefined)
    .map(({ bound, value }) => ({
      bound: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound),
      value,
    }));
  t.ok(buckets.length > 10);
  for (const [index, { bound, value }] of buckets.entries()) {
    const previous = buckets[index - 1];
    if (previous === undefined) continue;
    t.ok(bound > previous.bound && value >= previous.value, `${bound}: ${value}`);
  }
  const requests = [...metrics]
    .filter(([name]) => name.startsWith('gateway_requests_total{') && name.includes('route="second"'))
    .reduce((sum, [, value]) => sum + value, 0);
  t.equal(buckets.at(-1)?.bound, Number.POSITIVE_INFINITY);
  t.equal(buckets.at(-1)?.value, requests);
  t.equal(metrics.get(`gateway_request_duration_seconds_count{${labels}}`), requests);
  t.ok((metrics.get(`gateway_request_duration_seconds_sum{${labels}}`) ?? 0) > 0);
});

t.test('failed attempts and retries', async (t) => {
  t.same(await ask('/dead', 3), [502, 502, 502]);
  t.same(await ask('/retried/200', 8), new Array(8).fill(200));
  const ofDead = await countedUpTo('dead', 'dead', 3);
  const metrics = await countedUpTo('retried', 'half', 8);
  const errorsOf = (id: string, cluster: string) =>
    metrics.get(
      `gateway_upstream_errors_total{cluster="${cluster}",code="GW_ERR_UPSTREAM_CONNECT",route="${id}"}`,
    ) ?? 0;
  t.equal(requestsOf(ofDead, 'dead', 'dead', 502), 3);
  t.equal(errorsOf('dead', 'dead'), 3);
  t.notOk(metrics.has('gateway_retries_total{cluster="dead",route="dead"}'), 'nothing was retried there');
  const retries = metrics.get('gateway_retries_total{cluster="half",route="retried"}') ?? 0;
  t.ok(retries > 0, `${retries} retries`);
  t.equal(retries, errorsOf('retried', 'half'), 'one for each failed attempt');
  t.equal(requestsOf(metrics, 'retried', 'half', 200), 8, 'a retried request counts once');
});

t.test('no counter goes back when a worker is killed, and what it had in flight is forgotten', async (t) => {
  await ask('/first/200', 4);
  // Connections are handed out in turn: one of these for each worker.
  const clients = [await connect(gateway.port, { owner: t }), await connect(gateway.port, { owner: t })];
  for (const client of clients) client.send(formatRequest('GET', '/held'));
  const before = await waitForMetrics(gateway, (seen) => inFlightOf(seen, 'held', 'good') === 2);

  const [[worker = 0, pid = 0] = []] = listWorkers(gateway);
  const replaced = waitForWorkers(gateway, 1);
  process.kill(pid, 'SIGKILL');
  const after = await waitForMetrics(gateway, (seen) => inFlightOf(seen, 'held', 'good') === 1);
  const counters = [...before].filter(([name]) =>
    /^gateway_(?!primary).*(_total|_count|_bucket|_sum)(\{|$)/.test(name),
  );
  t.ok(counters.length > 20);
  t.same(
    counters.filter(([name, value]) => (after.get(name) ?? 0) < value).map(([name]) => name),
    [],
    'no counter has gone back',
  );
  t.notOk(after.has(`gateway_worker_resident_memory_bytes{worker="${worker}"}`), 'its gauges are gone');

  for (const connection of held) connection.answer();
  await waitForMetrics(gateway, (seen) => inFlightOf(seen, 'held', 'good') === 0);
  await replaced;
});

t.test('each worker has its gauges', async (t) => {
  const metrics = await waitForMetrics(gateway, (seen) => seen.get('gateway_workers{state="serving"}') === 2);
  const workers = [...listWorkers(gateway).keys()];
  t.equal(workers.length, 2);
  for (const worker of workers) {
    const labels = `{worker="${worker}"}`;
    t.ok((metrics.get(`gateway_worker_resident_memory_bytes${labels}`) ?? 0) > 1_000_000);
    t.ok((metrics.get(`gateway_worker_cpu_seconds${labels}`) ?? 0) > 0);
    t.ok(metrics.has(`gateway_worker_connections${labels}`));
    t.equal(metrics.get(`gateway_worker_websockets${labels}`), 0);
    t.ok((metrics.get(`gateway_worker_configuration_revision${labels}`) ?? 0) >= 1);
    for (const statistic of ['mean', 'p99', 'max']) {
      t.ok(metrics.has(`gateway_worker_event_loop_lag_seconds{statistic="${statistic}",worker="${worker}"}`));
    }
  }
  t.equal(metrics.get('gateway_connections_dropped_total'), 0);
});
