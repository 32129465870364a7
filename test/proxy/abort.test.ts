/** Clients that go away: whatever was under way for them ends, at the origin too, and nothing of it stays. */
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest, type RawClient } from '../helpers/raw-client.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

const proxy = await startScriptedClusters(
  t,
  {
    waiting: {},
    upload: {},
    download: {},
    paused: {},
    pipelined: {},
    retried: { retry: { attempts: 5 } },
    many: {},
  },
  ['--access-log', 'off'],
);

/** The ways of a client to go. */
const DEPARTURES: Readonly<Record<string, (client: RawClient) => void>> = {
  closes: (client) => client.close(),
  resets: (client) => client.reset(),
};

for (const [how, depart] of Object.entries(DEPARTURES)) {
  t.test(`a client that ${how} while the origin is silent`, async (t) => {
    const origin = proxy.origin('waiting');
    const client = await proxy.connect(t);
    const arrived = origin.requestArrived();
    client.send(formatRequest('GET', '/waiting/'));
    await arrived;
    depart(client);
    await origin.waitForConnections(0);
    await proxy.waitUntilIdle('waiting');
  });

  t.test(`a client that ${how} within its upload`, async (t) => {
    const origin = proxy.origin('upload');
    const client = await proxy.connect(t);
    const arrived = origin.requestArrived();
    client.send(formatRequest('PUT', '/upload/', { 'Content-Length': '1000000' }, 'begun'));
    const request = await arrived;
    depart(client);
    t.not(await request.ended, 'complete', 'the origin must not take the part for the whole');
    await origin.waitForConnections(0);
    await proxy.waitUntilIdle('upload');
  });

  t.test(`a client that ${how} within a chunked upload`, async (t) => {
    const origin = proxy.origin('upload');
    const client = await proxy.connect(t);
    const arrived = origin.requestArrived();
    client.send(formatRequest('PUT', '/upload/', { 'Transfer-Encoding': 'chunked' }, '5\r\nbegun\r\n'));
    const request = await arrived;
    depart(client);
    t.not(await request.ended, 'complete', 'no last chunk may be made up');
    await origin.waitForConnections(0);
    await proxy.waitUntilIdle('upload');
  });

  t.test(`a client that ${how} within a download`, async (t) => {
    const origin = proxy.origin('download');
    origin.handler = (_, connection) => {
      connection.beginChunked();
      connection.writeChunk('begun');
    };
    const client = await proxy.connect(t);
    client.send(formatRequest('GET', '/download/'));
    await client.readHead();
    await client.readBodyUntil('begun');
    depart(client);
    await origin.waitForConnections(0);
    await proxy.waitUntilIdle('download');
  });

  t.test(`a client that ${how} and had stopped reading`, async (t) => {
    const origin = proxy.origin('paused');
    const begun = Promise.withResolvers<OriginConnection>();
    origin.handler = (_, connection) => {
      connection.answer({ body: Buffer.alloc(50_000_000) });
      begun.resolve(connection);
    };
    const client = await proxy.connect(t);
    client.stopReading();
    client.send(formatRequest('GET', '/paused/'));
    await begun.promise;
    depart(client);
    await origin.waitForConnections(0);
    await proxy.waitUntilIdle('paused');
  });

  t.test(`a client that ${how} with requests in its pipeline`, async (t) => {
    const origin = proxy.origin('pipelined');
    const client = await proxy.connect(t);
    const arrived = origin.requestArrived();
    client.send(formatRequest('GET', '/pipelined/1') + formatRequest('GET', '/pipelined/2'));
    const before = origin.requests.length;
    await arrived;
    depart(client);
    await origin.waitForConnections(0);
    await proxy.waitUntilIdle('pipelined');
    t.equal(origin.requests.length, before + 1, 'those behind are never sent');
  });

  t.test(`a client that ${how} is the end of the retries`, async (t) => {
    const origin = proxy.origin('retried');
    const before = origin.requests.length;
    const client = await proxy.connect(t);
    origin.handler = (_, connection) => {
      // The second try is under way when the client goes.
      if (origin.requests.length === before + 1) connection.reset();
      else depart(client);
    };
    client.send(formatRequest('GET', '/retried/'));
    await origin.waitForRequests(before + 2);
    await origin.waitForConnections(0);
    await proxy.waitUntilIdle('retried');
    t.equal(origin.requests.length, before + 2);
  });
}

t.test('a client that ends its sending side counts as gone', async (t) => {
  // A FIN does not tell whether the other side still reads; like most proxies, the gateway takes it for the end.
  const origin = proxy.origin('waiting');
  const client = await proxy.connect(t);
  const arrived = origin.requestArrived();
  client.send(formatRequest('GET', '/waiting/'));
  await arrived;
  client.end();
  await client.waitForClose();
  await origin.waitForConnections(0);
  await proxy.waitUntilIdle('waiting');
});

t.test('thousands of clients that go away leave nothing behind', { timeout: 60_000 }, async (t) => {
  const origin = proxy.origin('many');
  origin.handler = (request, connection) => {
    if (!request.target.endsWith('/download')) return;
    connection.beginChunked();
    connection.writeChunk('begun');
  };
  const requests = [
    formatRequest('GET', '/many/waiting'),
    formatRequest('PUT', '/many/upload', { 'Content-Length': '100000' }, 'x'.repeat(1_000)),
    formatRequest('GET', '/many/download'),
  ];
  const abortBatch = async () => {
    const before = origin.requests.length;
    const clients = await Promise.all(Array.from({ length: 60 }, () => proxy.connect(t)));
    for (const [index, client] of clients.entries()) client.send(requests[index % requests.length] ?? '');
    await origin.waitForRequests(before + clients.length);
    for (const [index, client] of clients.entries()) {
      if (index % 2 === 0) client.reset();
      else client.close();
    }
  };
  const abortMany = async (batches: number) => {
    for (let batch = 0; batch < batches; batch++) await abortBatch();
    await origin.waitForConnections(0);
    await proxy.waitUntilIdle('many');
  };
  await abortMany(6);
  const before = await proxy.residentBytes();
  await abortMany(24);
  const grownBytes = (await proxy.residentBytes()) - before;
  t.ok(grownBytes < 80_000_000, `1440 aborts more, and ${grownBytes} bytes`);
  t.equal((await proxy.gateway.metrics()).get('gateway_worker_connections{worker="1"}'), 0);
  origin.handler = (_, connection) => connection.answer({ body: 'still here' });
  t.equal((await proxy.request(formatRequest('GET', '/many/'))).text, 'still here');
});

t.test('no client that goes away harms the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
});
