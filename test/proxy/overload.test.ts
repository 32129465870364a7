/** A cluster without destinations, and one whose connections and queue are all taken. */
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

const proxy = await startScriptedClusters(t, {
  empty: { origins: 0 },
  single: { pool: { maxConnections: 1, maxQueued: 0 } },
  queue: { pool: { maxConnections: 1, maxQueued: 1 } },
  pair: { origins: 2, pool: { maxConnections: 1, maxQueued: 0 } },
  'queue-limit': {
    pool: { maxConnections: 1, maxQueued: 5 },
    timeouts: { connectMs: 500, headersMs: 1_000 },
    retry: { attempts: 1 },
  },
  aborted: { pool: { maxConnections: 1, maxQueued: 1 } },
});

const get = (cluster: string) => formatRequest('GET', `/${cluster}/`);

t.test('a cluster without destinations is 503', async (t) => {
  const response = await proxy.request(get('empty'));
  t.equal(response.status, 503);
  t.match(response.text, '"code":"GW_ERR_NO_DESTINATION"');
  t.equal((await proxy.logged(response)).attempts, 0);
});

t.test('more requests than connections and queue are 503 at once, and not sent', async (t) => {
  const origin = proxy.origin('single');
  const arrived = origin.requestArrived();
  const held: OriginConnection[] = [];
  origin.handler = (_, connection) => held.push(connection);
  const first = proxy.request(get('single'));
  await arrived;
  for (let round = 0; round < 3; round++) {
    const response = await proxy.request(get('single'));
    t.equal(response.status, 503);
    t.match(response.text, '"code":"GW_ERR_UPSTREAM_OVERLOADED"');
  }
  t.same([origin.requests.length, origin.acceptedConnections], [1, 1]);
  held[0]?.answer({ body: 'first' });
  t.equal((await first).text, 'first');
  origin.handler = (_, connection) => connection.answer({ body: 'next' });
  t.equal((await proxy.request(get('single'))).text, 'next', 'the place is free again');
});

t.test('a request waits in the queue for a connection', async (t) => {
  const origin = proxy.origin('queue');
  const held: OriginConnection[] = [];
  origin.handler = (_, connection) => held.push(connection);
  const first = proxy.request(get('queue'));
  await origin.waitForRequests(1);
  const second = proxy.request(get('queue'));
  await proxy.waitUntil(async () => (await proxy.count('requests_in_flight', 'queue')) === 2, 'not queued');
  t.equal((await proxy.request(get('queue'))).status, 503, 'the queue is full');
  held[0]?.answer({ body: 'first' });
  t.equal((await first).text, 'first');
  await origin.waitForRequests(2);
  held[1]?.answer({ body: 'second' });
  t.equal((await second).text, 'second');
  t.equal(origin.acceptedConnections, 1);
});

t.test('a destination that is full is passed over', async (t) => {
  const held: OriginConnection[] = [];
  for (const index of [0, 1]) proxy.origin('pair', index).handler = (_, connection) => held.push(connection);
  const answers = [proxy.request(get('pair')), proxy.request(get('pair'))];
  await Promise.all([0, 1].map((index) => proxy.origin('pair', index).waitForRequests(1)));
  t.equal((await proxy.request(get('pair'))).status, 503);
  for (const connection of held) connection.answer();
  t.same(
    (await Promise.all(answers)).map(({ status }) => status),
    [200, 200],
  );
});

t.test('a request does not wait in the queue for ever, and is not sent afterwards', async (t) => {
  const origin = proxy.origin('queue-limit');
  origin.handler = (_, connection) => {
    connection.beginChunked();
    connection.drip('1\r\na\r\n'.repeat(1_000), 20, 6);
  };
  const client = await proxy.connect(t);
  client.send(get('queue-limit'));
  await client.readHead();
  const response = await proxy.request(get('queue-limit'));
  t.equal(response.status, 504);
  t.match(response.text, '"code":"GW_ERR_UPSTREAM_TIMEOUT"');
  origin.handler = (_, connection) => connection.answer({ body: 'ok' });
  client.reset();
  await proxy.waitUntilIdle('queue-limit');
  t.equal((await proxy.request(get('queue-limit'))).text, 'ok');
  t.equal(origin.requests.length, 2, 'the request that was given up never arrived');
});

t.test('a client that goes away leaves the queue', async (t) => {
  const origin = proxy.origin('aborted');
  const held: OriginConnection[] = [];
  origin.handler = (_, connection) => held.push(connection);
  const first = proxy.request(get('aborted'));
  await origin.waitForRequests(1);
  for (let round = 0; round < 5; round++) {
    const client = await proxy.connect(t);
    client.send(get('aborted'));
    await proxy.waitUntil(
      async () => (await proxy.count('requests_in_flight', 'aborted')) === 2,
      'not queued',
    );
    client.reset();
    await proxy.waitUntil(
      async () => (await proxy.count('requests_in_flight', 'aborted')) === 1,
      'still there',
    );
  }
  held[0]?.answer({ body: 'first' });
  t.equal((await first).text, 'first');
  origin.handler = (_, connection) => connection.answer({ body: 'next' });
  t.equal((await proxy.request(get('aborted'))).text, 'next');
  t.equal(origin.requests.length, 2, 'nothing of those that went away');
});

t.test('an overload does not harm the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
});
