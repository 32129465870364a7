/** Origins that break off within a response: the client must never take a part for the whole. */
import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import type { OriginHandler } from '../helpers/scripted-origin.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

const PART = 'x'.repeat(1_000);
const LARGE_PART = 'x'.repeat(1_000_000);

/** How an origin can end in the middle of a response, by what happens. */
const BREAKS: Readonly<Record<string, OriginHandler>> = {
  'closed within Content-Length': (_, connection) => connection.breakOff('closed', 5_000, { body: PART }),
  'reset within Content-Length': (_, connection) => connection.breakOff('reset', 5_000, { body: PART }),
  'closed one byte before the end': (_, connection) => connection.breakOff('closed', 1_001, { body: PART }),
  'closed within a large body': (_, connection) =>
    connection.breakOff('closed', 2_000_000, { body: LARGE_PART }),
  'closed between chunks': (_, connection) => {
    connection.beginChunked();
    connection.writeChunk(PART);
    connection.close();
  },
  'reset between chunks': (_, connection) => {
    connection.beginChunked();
    connection.writeChunk(PART);
    connection.reset();
  },
  'closed within a chunk': (_, connection) => {
    connection.beginChunked();
    connection.write(`fff\r\n${PART}`);
    connection.close();
  },
  'closed within the size of a chunk': (_, connection) => {
    connection.beginChunked();
    connection.writeChunk(PART);
    connection.write('1');
    connection.close();
  },
  'closed before the end of the trailers': (_, connection) => {
    connection.beginChunked();
    connection.writeChunk(PART);
    connection.write('0\r\n');
    connection.close();
  },
  'reset in a body that ends with the connection': (_, connection) => {
    connection.write(`HTTP/1.1 200 OK\r\n\r\n${PART}`);
    connection.reset();
  },
  'a chunk longer than its size': (_, connection) => {
    connection.beginChunked();
    connection.write(`3\r\n${PART}\r\n0\r\n\r\n`);
  },
  'a chunk size that is no number': (_, connection) => {
    connection.beginChunked();
    connection.writeChunk(PART);
    connection.write('zz\r\n');
  },
  'a chunk size beyond all numbers': (_, connection) => {
    connection.beginChunked();
    connection.writeChunk(PART);
    connection.write('fffffffffffffffff\r\n');
  },
  'a chunk extension that ends with LF alone': (_, connection) => {
    connection.beginChunked();
    connection.writeChunk(PART);
    connection.write('3;a=b\nabc\r\n0\r\n\r\n');
  },
};

const proxy = await startScriptedClusters(t, {
  breaks: {},
  whole: {},
  held: {},
  concurrent: {},
  headless: {},
  'head-only': {},
});

for (const [what, handler] of Object.entries(BREAKS)) {
  for (const version of ['1.1', '1.0']) {
    t.test(`${what}: an HTTP/${version} client does not see a whole response`, async (t) => {
      const origin = proxy.origin('breaks');
      origin.handler = handler;
      const before = origin.requests.length;
      const response = await proxy.request(
        formatRequest('GET', '/breaks/').replace('HTTP/1.1', `HTTP/${version}`),
      );
      t.equal(response.status, 200);
      t.ok(['reset', 'closed early'].includes(response.ended), response.ended);
      t.equal(origin.requests.length, before + 1, 'and it is not tried again');
      const { code, status } = await proxy.logged(response);
      t.same([code, status], ['GW_ERR_UPSTREAM_BODY', 200]);
      await origin.waitForConnections(0);
    });
  }
}

t.test('the part that came arrives before the connection is reset', async (t) => {
  const origin = proxy.origin('held');
  const arrived = Promise.withResolvers<void>();
  origin.handler = async (_, connection) => {
    connection.beginChunked();
    connection.writeChunk('event: one\n');
    await arrived.promise;
    connection.reset();
  };
  const client = await proxy.connect(t);
  client.send(formatRequest('GET', '/held/'));
  await client.readHead();
  await client.readBodyUntil('event: one\n');
  arrived.resolve();
  t.equal((await client.readResponse()).ended, 'reset');
});

t.test('a response that breaks off before its body begins is not taken for an empty one', async (t) => {
  proxy.origin('headless').handler = (_, connection) => connection.breakOff('closed', 5_000, {});
  const client = await proxy.connect(t);
  client.send(formatRequest('GET', '/headless/'));
  t.equal(await client.waitForClose(), 'reset');
});

t.test('the head of a response does not wait for its body', async (t) => {
  for (const begin of ['chunked', 'with a length'] as const) {
    proxy.origin('head-only').handler = (_, connection) => {
      if (begin === 'chunked') connection.beginChunked({ headers: { 'Content-Type': 'text/event-stream' } });
      else connection.answerWithLength(10, {});
    };
    const client = await proxy.connect(t);
    client.send(formatRequest('GET', '/head-only/'));
    t.equal((await client.readHead()).status, 200, begin);
    client.close();
  }
});

t.test('a body that ends with the connection is whole when the origin closes it', async (t) => {
  proxy.origin('whole').handler = (_, connection) => connection.answerUntilClose({ body: PART });
  for (const version of ['1.1', '1.0']) {
    const response = await proxy.request(
      formatRequest('GET', '/whole/').replace('HTTP/1.1', `HTTP/${version}`),
    );
    t.same([response.status, response.text === PART, response.ended], [200, true, 'complete']);
  }
});

t.test('a response that breaks off leaves the ones beside it alone', async (t) => {
  const origin = proxy.origin('concurrent');
  const broken = Promise.withResolvers<void>();
  origin.handler = async (request, connection) => {
    connection.beginChunked();
    connection.writeChunk(PART);
    if (request.target.endsWith('/break')) return connection.reset();
    await broken.promise;
    connection.writeChunk(PART);
    connection.endChunked();
  };
  const whole = Array.from({ length: 10 }, () => proxy.request(formatRequest('GET', '/concurrent/whole')));
  await origin.waitForRequests(10);
  const parts = Array.from({ length: 10 }, () => proxy.request(formatRequest('GET', '/concurrent/break')));
  for (const response of await Promise.all(parts)) t.equal(response.ended, 'reset');
  broken.resolve();
  for (const response of await Promise.all(whole)) {
    t.same([response.ended, response.text === PART + PART], ['complete', true]);
  }
});

t.test('no broken response harms the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
  await proxy.waitUntilIdle('breaks');
});
