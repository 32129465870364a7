/** How many requests of a route, or to a cluster, may be under way; who waits, who is refused, and that nothing leaks. */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { eventually } from '../../helpers/eventually.ts';
import type { OriginConnection } from '../../helpers/origin-connection.ts';
import { formatRequest, type RawClient } from '../../helpers/raw-client.ts';
import type { OriginHandler } from '../../helpers/scripted-origin.ts';
import { outcome } from '../proxied-origin.ts';
import { startScriptedClusters } from '../scripted-clusters.ts';
import { ACCEPT_FIELDS, formatUpgrade } from '../websocket-peers.ts';

const LONG_WAIT = { maxWaiting: 10, maxWaitMs: 60_000 };
const proxy = await startScriptedClusters(t, {
  'of-route': { route: { limits: { maxConcurrent: 2 } } },
  'of-cluster': { limits: { maxConcurrent: 1 } },
  line: { limits: { maxConcurrent: 1, maxWaiting: 2, maxWaitMs: 60_000 } },
  'short-wait': { route: { limits: { maxConcurrent: 1, maxWaiting: 5, maxWaitMs: 200 } } },
  leaver: { limits: { maxConcurrent: 1, ...LONG_WAIT } },
  broken: { limits: { maxConcurrent: 1, ...LONG_WAIT } },
  sockets: { route: { limits: { maxConcurrent: 2 } } },
  'sockets-of-cluster': { limits: { maxConcurrent: 1, ...LONG_WAIT } },
  both: { limits: { maxConcurrent: 1, ...LONG_WAIT }, route: { limits: { maxConcurrent: 3 } } },
  random: {
    origins: 2,
    dead: 1,
    timeouts: { connectMs: 500, headersMs: 3_000, idleMs: 3_000 },
    retry: { attempts: 2, on: ['connect', 'reset'] },
    limits: { maxConcurrent: 5, maxWaiting: 3, maxWaitMs: 300 },
    route: { limits: { maxConcurrent: 6, maxWaiting: 2, maxWaitMs: 300, maxBodyBytes: 1_000 } },
  },
});

const ROUTE_OVERLOADED = [503, 'GW_ERR_ROUTE_OVERLOADED'];
const CLUSTER_OVERLOADED = [503, 'GW_ERR_CLUSTER_OVERLOADED'];
const get = (cluster: string, path = '') => formatRequest('GET', `/${cluster}/${path}`);

/** An origin that answers when the test says so. */
class HoldingOrigin {
  readonly held: OriginConnection[] = [];
  readonly #cluster: string;

  constructor(cluster: string) {
    this.#cluster = cluster;
    proxy.origin(cluster).handler = (_, connection) => this.held.push(connection);
  }

  get targets(): string[] {
    return proxy.origin(this.#cluster).requests.map(({ target }) => target);
  }

  async waitForRequests(count: number): Promise<void> {
    await proxy.origin(this.#cluster).waitForRequests(count);
  }

  /** Answers the oldest request that is not answered. */
  release(): void {
    this.held.shift()?.answer({ body: 'ok' });
  }
}

/** Waits until so many requests are at the gateway, those that wait included. */
async function waitForFlight(cluster: string, count: number): Promise<void> {
  await proxy.waitUntil(
    async () => (await proxy.count('requests_in_flight', cluster)) === count,
    `not ${count} requests in flight`,
  );
}

/** Sends a request on a connection of its own that stays open; it must not be answered at once. */
async function begin(t: Test, text: string): Promise<RawClient> {
  const client = await proxy.connect(t);
  client.send(text);
  return client;
}

t.test('more requests than a route may have get 503 at once, and may try again', async (t) => {
  const origin = new HoldingOrigin('of-route');
  const held = [await begin(t, get('of-route'))];
  await origin.waitForRequests(1);
  held.push(await begin(t, get('of-route')));
  await origin.waitForRequests(2);
  const client = await begin(t, get('of-route'));
  const refused = await client.readResponse();
  t.same(outcome(refused), ROUTE_OVERLOADED);
  t.equal(refused.header('retry-after'), '1');
  t.notOk(refused.header('connection')?.includes('close'), 'the connection is not to blame');
  origin.release();
  t.equal((await held[0]?.readResponse())?.status, 200);
  client.send(get('of-route', 'again'));
  await origin.waitForRequests(3);
  origin.release();
  origin.release();
  t.same([(await client.readResponse()).status, (await held[1]?.readResponse())?.status], [200, 200]);
});

t.test('more requests than a cluster may have get 503 as well, also with a body', async (t) => {
  const origin = new HoldingOrigin('of-cluster');
  const held = await begin(t, get('of-cluster'));
  await origin.waitForRequests(1);
  t.same(outcome(await proxy.request(get('of-cluster'))), CLUSTER_OVERLOADED);
  const posted = await proxy.request(formatRequest('POST', '/of-cluster/', {}, 'x'.repeat(100_000)));
  t.same([outcome(posted), posted.header('retry-after')], [CLUSTER_OVERLOADED, '1']);
  origin.release();
  t.equal((await held.readResponse()).status, 200);
  t.equal(origin.targets.length, 1, 'nothing of the others went on');
});

t.test('those that may wait get their turn in the order of their coming', async (t) => {
  const origin = new HoldingOrigin('line');
  const clients: RawClient[] = [];
  for (let number = 1; number <= 3; number += 1) {
    clients.push(await begin(t, get('line', String(number))));
    await waitForFlight('line', number);
  }
  t.same(outcome(await proxy.request(get('line', '4'))), CLUSTER_OVERLOADED, 'one too many waits');
  for (let number = 1; number <= 3; number += 1) {
    await origin.waitForRequests(number);
    t.equal(origin.targets.length, number, 'one after the other');
    origin.release();
    t.equal((await clients[number - 1]?.readResponse())?.status, 200);
  }
  t.same(origin.targets, ['/line/1', '/line/2', '/line/3']);
});

t.test('a wait that takes too long ends with 503, and nothing of it is sent', async (t) => {
  const origin = new HoldingOrigin('short-wait');
  const held = await begin(t, get('short-wait'));
  await origin.waitForRequests(1);
  const waited = await proxy.request(formatRequest('POST', '/short-wait/', {}, 'body'));
  t.same([outcome(waited), waited.header('retry-after')], [ROUTE_OVERLOADED, '1']);
  origin.release();
  t.equal((await held.readResponse()).status, 200);
  t.equal(origin.targets.length, 1);
});

t.test('a client that goes away while it waits leaves its place to the next', async (t) => {
  const origin = new HoldingOrigin('leaver');
  const first = await begin(t, get('leaver', 'first'));
  await origin.waitForRequests(1);
  const leavers: RawClient[] = [];
  for (let count = 0; count < 5; count += 1) leavers.push(await begin(t, get('leaver', 'left')));
  await waitForFlight('leaver', 6);
  const last = await begin(t, get('leaver', 'last'));
  await waitForFlight('leaver', 7);
  for (const [index, leaver] of leavers.entries()) index % 2 === 0 ? leaver.reset() : leaver.close();
  await waitForFlight('leaver', 2);
  origin.release();
  await origin.waitForRequests(2);
  origin.release();
  t.same([(await first.readResponse()).status, (await last.readResponse()).status], [200, 200]);
  t.same(origin.targets, ['/leaver/first', '/leaver/last']);
});

t.test('a request that turns out broken while it waits is answered 400, and never forwarded', async (t) => {
  const origin = new HoldingOrigin('broken');
  const first = await begin(t, get('broken', 'first'));
  await origin.waitForRequests(1);
  const head = formatRequest('POST', '/broken/bad', { 'Transfer-Encoding': 'chunked' });
  const broken = await begin(t, head);
  await waitForFlight('broken', 2);
  broken.send('no chunk size\r\n');
  t.equal((await broken.readResponse()).status, 400);
  await waitForFlight('broken', 1);
  origin.release();
  t.equal((await first.readResponse()).status, 200);
  const next = await begin(t, get('broken', 'next'));
  await origin.waitForRequests(2);
  origin.release();
  t.equal((await next.readResponse()).status, 200);
  t.same(origin.targets, ['/broken/first', '/broken/next']);
});

for (const [cluster, code, capacity] of [
  ['sockets', 'GW_ERR_ROUTE_OVERLOADED', 2],
  ['sockets-of-cluster', 'GW_ERR_CLUSTER_OVERLOADED', 1],
] as const) {
  t.test(`a WebSocket counts as long as it stands, and does not wait (${cluster})`, async (t) => {
    const accept: OriginHandler = (_, connection) => void connection.switchProtocols(ACCEPT_FIELDS).resume();
    proxy.origin(cluster).handler = accept;
    const sockets: RawClient[] = [];
    for (let count = 0; count < capacity; count += 1) {
      const socket = await begin(t, formatUpgrade(`/${cluster}/`));
      await socket.waitForBytes('\r\n\r\n');
      t.match(socket.unread.toString(), /^HTTP\/1\.1 101 /);
      sockets.push(socket);
    }
    const refused = await proxy.request(formatUpgrade(`/${cluster}/`));
    t.same([outcome(refused), refused.header('retry-after')], [[503, code], '1']);
    sockets[0]?.reset();
    await proxy.waitUntil(
      async () => (await proxy.count('requests_in_flight', cluster)) === capacity - 1,
      'the WebSocket still counts',
    );
    proxy.origin(cluster).handler = (_, connection) => connection.answer({ status: 403, body: 'no' });
    for (let round = 0; round < 2 * capacity; round += 1)
      t.equal(
        (await proxy.request(formatUpgrade(`/${cluster}/`))).status,
        403,
        'one that the origin refuses is over',
      );
    proxy.origin(cluster).handler = (_, connection) => connection.answer({ body: 'ok' });
    t.equal((await proxy.request(get(cluster))).status, 200);
  });
}

t.test('a WebSocket that ends lets in those that wait for the cluster', async (t) => {
  proxy.origin('both').handler = (request, connection) => {
    if (request.header('upgrade') === undefined) connection.answer({ body: 'ok' });
    else connection.switchProtocols(ACCEPT_FIELDS).resume();
  };
  const socket = await begin(t, formatUpgrade('/both/'));
  await socket.waitForBytes('\r\n\r\n');
  const waiting = [await begin(t, get('both')), await begin(t, get('both'))];
  await waitForFlight('both', 3);
  t.same(outcome(await proxy.request(get('both'))), ROUTE_OVERLOADED);
  socket.reset();
  for (const client of waiting) t.equal((await client.readResponse()).status, 200);
});

/** What a client may do in the random test, and what it may get. */
const VISITS = ['get', 'post', 'chunked', 'tooLarge', 'expect', 'broken', 'webSocket'] as const;
interface Visit {
  readonly kind: (typeof VISITS)[number];
  readonly behaviour: string;
  readonly leaves: string;
}

const visits: fc.Arbitrary<Visit> = fc.record({
  kind: fc.constantFrom(...VISITS),
  behaviour: fc.constantFrom('ok', 'reset', 'break off', 'hang', 'slow', 'garbage', 'refuse'),
  leaves: fc.constantFrom('never', 'never', 'at once', 'later'),
});

function textOf({ kind, behaviour }: Visit): string {
  const path = `/random/${behaviour.replace(' ', '-')}`;
  const chunked = { 'Transfer-Encoding': 'chunked' };
  switch (kind) {
    case 'get':
      return formatRequest('GET', path);
    case 'post':
      return formatRequest('POST', path, {}, 'some body');
    case 'chunked':
      return `${formatRequest('PUT', path, chunked)}4\r\nbody\r\n0\r\n\r\n`;
    case 'tooLarge':
      return `${formatRequest('PUT', path, chunked)}${'400\r\n'}${'x'.repeat(1_024)}\r\n0\r\n\r\n`;
    case 'expect':
      return formatRequest('POST', path, { Expect: '100-continue' }, 'some body');
    case 'broken':
      return `${formatRequest('PUT', path, chunked)}no size\r\n`;
    case 'webSocket':
      return formatUpgrade(path);
  }
}

const behave: OriginHandler = (request, connection) => {
  const behaviour = request.target.slice('/random/'.length);
  if (behaviour === 'reset') connection.reset();
  else if (behaviour === 'break-off') connection.breakOff('closed', 1_000, { body: 'half' });
  else if (behaviour === 'slow') connection.drip('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 2, 8);
  else if (behaviour === 'garbage') connection.write('garbage\r\n\r\n');
  else if (behaviour === 'ok' && request.header('upgrade') !== undefined)
    connection.switchProtocols(ACCEPT_FIELDS).resume();
  else if (behaviour !== 'hang')
    connection.answer({ status: behaviour === 'refuse' ? 403 : 200, body: 'done' });
};

async function visit(t: Test, plan: Visit): Promise<void> {
  const client = await begin(t, textOf(plan));
  const { leaves } = plan;
  if (leaves === 'at once') client.reset();
  else if (leaves === 'later') setImmediate(() => client.close());
  else await client.readHead().catch(() => {});
  client.close();
}

t.test('after any mixture of requests, failures and departures every place is free again', async (t) => {
  for (const index of [0, 1]) proxy.origin('random', index).handler = behave;
  const crowd = fc.sample(visits, { numRuns: 400, seed: 7 });
  const next = crowd[Symbol.iterator]();
  const walk = async () => {
    for (const plan of next) await visit(t, plan);
  };
  await Promise.all(Array.from({ length: 20 }, walk));
  await proxy.waitUntilIdle('random');
  const held: OriginConnection[] = [];
  for (const index of [0, 1])
    proxy.origin('random', index).handler = (_, connection) => held.push(connection);
  const clients: RawClient[] = [];
  for (let count = 0; count < 5; count += 1) clients.push(await begin(t, get('random')));
  await eventually(() => {
    if (held.length !== 5) throw new Error(`${held.length} requests instead of 5 got through`);
  });
  t.same(outcome(await proxy.request(get('random'))), CLUSTER_OVERLOADED, 'and no more than these');
  for (const connection of held) connection.answer();
  for (const client of clients) t.equal((await client.readResponse()).status, 200);
});

t.test('nothing of this harms the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
});
