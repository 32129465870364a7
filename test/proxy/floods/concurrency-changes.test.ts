/** What a change of the configuration means for the requests that wait for their turn. */
import t, { type Test } from 'tap';
import type { Cluster } from '../../../lib/core/config/model.ts';
import { AdminClient } from '../../helpers/admin-client.ts';
import { type GatewayProcess, startGateway } from '../../helpers/gateway-process.ts';
import type { OriginConnection } from '../../helpers/origin-connection.ts';
import { connect, formatRequest, type RawClient, request } from '../../helpers/raw-client.ts';
import { type ScriptedOrigin, startOrigin } from '../../helpers/scripted-origin.ts';
import { waitForMetrics } from '../../helpers/worker-processes.ts';
import { outcome } from '../proxied-origin.ts';

type Limits = NonNullable<Cluster['limits']>;
const ONE: Limits = { maxConcurrent: 1, maxWaiting: 10, maxWaitMs: 60_000 };

const gateways = {
  alone: await startGateway(t, { accessLog: 'off' }),
  pair: await startGateway(t, { accessLog: 'off', workers: 2 }),
};

/** A route and a cluster of their own, whose limits change, and an origin that answers when the test says so. */
class Bench {
  readonly held: OriginConnection[] = [];
  readonly origin: ScriptedOrigin;
  readonly #t: Test;
  readonly #id: string;
  readonly #gateway: GatewayProcess;
  readonly #admin: AdminClient;

  constructor(t: Test, id: string, origin: ScriptedOrigin, gateway: GatewayProcess) {
    this.#t = t;
    this.#id = id;
    this.origin = origin;
    this.#gateway = gateway;
    this.#admin = new AdminClient(() => gateway.adminPort, gateway.stateDirectory);
    origin.handler = (_, connection) => this.held.push(connection);
  }

  async #write(method: string, path: string, body?: unknown): Promise<void> {
    const options = body === undefined ? {} : { body };
    const result = await this.#admin.write(method, `${path}?wait=all&timeoutMs=20000`, options);
    if (result.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(result)}`);
  }

  putCluster(limits: Limits | null, id = this.#id): Promise<void> {
    const cluster: Cluster = { destinations: { only: { url: this.origin.url } } };
    return this.#write('PUT', `clusters/${id}`, limits === null ? cluster : { ...cluster, limits });
  }

  putRoute(limits: Limits | null, { cluster = this.#id, order = 0 } = {}): Promise<void> {
    const route = { match: { path: `/${this.#id}` }, cluster, order };
    return this.#write('PUT', `routes/${this.#id}`, limits === null ? route : { ...route, limits });
  }

  delete(collection: string): Promise<void> {
    return this.#write('DELETE', `${collection}/${this.#id}`);
  }

  /** Sends a request, and waits until the gateway has it. */
  async begin(): Promise<RawClient> {
    const client = await connect(this.#gateway.port, { owner: this.#t });
    const name = `gateway_requests_in_flight{cluster="${this.#id}",route="${this.#id}"}`;
    const before = (await this.#gateway.metrics()).get(name) ?? 0;
    client.send(formatRequest('GET', `/${this.#id}`));
    await waitForMetrics(this.#gateway, (metrics) => metrics.get(name) === before + 1);
    return client;
  }

  /** A request on a connection of its own, and what became of it. */
  async ask(): Promise<readonly [number, string | undefined]> {
    return outcome(await request(this.#gateway.port, formatRequest('GET', `/${this.#id}`)));
  }

  /** Answers all that has come to the origin, and all that comes. */
  answerAll(): void {
    this.origin.handler = (_, connection) => connection.answer({ body: 'ok' });
    for (const connection of this.held.splice(0)) connection.answer({ body: 'ok' });
  }
}

interface BenchLimits {
  readonly cluster?: Limits;
  readonly route?: Limits;
}

async function openBench(
  t: Test,
  id: string,
  { cluster, route }: BenchLimits,
  gateway = gateways.alone,
): Promise<Bench> {
  const bench = new Bench(t, id, await startOrigin(() => {}, { owner: t }), gateway);
  await bench.putCluster(cluster ?? null);
  await bench.putRoute(route ?? null);
  return bench;
}

async function statusesOf(clients: readonly RawClient[]): Promise<number[]> {
  const responses = await Promise.all(clients.map((client) => client.readResponse()));
  return responses.map(({ status }) => status);
}

const ROUTE_OVERLOADED = [503, 'GW_ERR_ROUTE_OVERLOADED'];
const CLUSTER_OVERLOADED = [503, 'GW_ERR_CLUSTER_OVERLOADED'];
const SERVED = [200, undefined];

t.test('a higher limit of a cluster, or none, lets in those that wait at once', async (t) => {
  const bench = await openBench(t, 'rising', { cluster: ONE });
  const clients = [await bench.begin(), await bench.begin(), await bench.begin(), await bench.begin()];
  t.equal(bench.origin.requests.length, 1);
  await bench.putCluster({ ...ONE, maxConcurrent: 3 });
  await bench.origin.waitForRequests(3);
  t.equal(bench.origin.requests.length, 3);
  await bench.putCluster(null);
  await bench.origin.waitForRequests(4);
  bench.answerAll();
  t.same(await statusesOf(clients), [200, 200, 200, 200]);
});

t.test('a limit of a route that rises, or is gone, lets them in with the next request', async (t) => {
  const bench = await openBench(t, 'route-rising', { route: ONE });
  const clients = [await bench.begin(), await bench.begin(), await bench.begin(), await bench.begin()];
  t.equal(bench.origin.requests.length, 1);
  await bench.putRoute({ maxConcurrent: 3 });
  t.same(await bench.ask(), ROUTE_OVERLOADED, 'those that waited have the places');
  await bench.origin.waitForRequests(3);
  await bench.putRoute(null);
  clients.push(await bench.begin());
  await bench.origin.waitForRequests(5);
  bench.answerAll();
  t.same(await statusesOf(clients), [200, 200, 200, 200, 200]);
});

t.test('a route without a limit takes requests at once, whoever waits for its cluster', async (t) => {
  const bench = await openBench(t, 'half-open', { route: ONE, cluster: { maxConcurrent: 10 } });
  const clients = [await bench.begin(), await bench.begin()];
  await bench.putRoute(null);
  clients.push(await bench.begin());
  await bench.origin.waitForRequests(3);
  bench.answerAll();
  t.same(await statusesOf(clients), [200, 200, 200]);
});

t.test('a lower limit turns nobody out, and holds for whoever comes next', async (t) => {
  const bench = await openBench(t, 'falling', { route: { maxConcurrent: 3 } });
  const clients = [await bench.begin(), await bench.begin(), await bench.begin()];
  await bench.origin.waitForRequests(3);
  await bench.putRoute({ maxConcurrent: 1 });
  t.same(await bench.ask(), ROUTE_OVERLOADED);
  for (const left of [2, 1]) {
    bench.held.pop()?.answer({ body: 'ok' });
    await Promise.race(clients.map((client) => client.readHead()));
    t.same(await bench.ask(), ROUTE_OVERLOADED, `${left} are still in`);
  }
  bench.answerAll();
  t.same(await statusesOf(clients), [200, 200, 200]);
  t.same(await bench.ask(), SERVED);
});

for (const [id, limits] of [
  ['moved-route', { route: ONE }],
  ['moved-cluster', { cluster: ONE }],
] as const) {
  t.test(`those that wait when their cluster is deleted are still served (${id})`, async (t) => {
    const bench = await openBench(t, id, limits);
    const clients = [await bench.begin(), await bench.begin()];
    await bench.putCluster(null, `${id}-other`);
    await bench.putRoute(null, { cluster: `${id}-other` });
    await bench.delete('clusters');
    bench.held.shift()?.answer({ headers: { Connection: 'close' }, body: 'ok' });
    await bench.origin.waitForRequests(2);
    bench.answerAll();
    t.same(await statusesOf(clients), [200, 200]);
  });
}

t.test('those that wait when their route and cluster are deleted are still served', async (t) => {
  const bench = await openBench(t, 'deleted', { route: ONE });
  const clients = [await bench.begin(), await bench.begin()];
  await bench.delete('routes');
  await bench.delete('clusters');
  bench.answerAll();
  t.same(await statusesOf(clients), [200, 200]);
  t.same(await bench.ask(), [404, 'GW_ERR_NO_ROUTE']);
});

t.test('a route that is written again keeps count of those that are in', async (t) => {
  const bench = await openBench(t, 'rewritten', { route: { maxConcurrent: 2 } });
  const clients = [await bench.begin(), await bench.begin()];
  await bench.putRoute({ maxConcurrent: 2 }, { order: 5 });
  t.same(await bench.ask(), ROUTE_OVERLOADED);
  bench.answerAll();
  t.same(await statusesOf(clients), [200, 200]);
  t.same(await bench.ask(), SERVED);
});

t.test('the limits of an instance are divided among its workers', async (t) => {
  const bench = await openBench(t, 'divided', { cluster: { maxConcurrent: 4 } }, gateways.pair);
  const clients = [await bench.begin(), await bench.begin(), await bench.begin(), await bench.begin()];
  await bench.origin.waitForRequests(4);
  t.same([await bench.ask(), await bench.ask()], [CLUSTER_OVERLOADED, CLUSTER_OVERLOADED]);
  bench.answerAll();
  t.same(await statusesOf(clients), [200, 200, 200, 200]);
});
