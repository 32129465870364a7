/** Which failures are followed by another attempt, where it goes, and what the client gets when all fail. */
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import type { OriginRequest } from '../helpers/origin-request.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import type { OriginHandler } from '../helpers/scripted-origin.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

const proxy = await startScriptedClusters(t, {
  down: { origins: 0, dead: 1 },
  'half-down': { origins: 1, dead: 1 },
  resets: {},
  'one-attempt': { retry: { attempts: 1 } },
  'four-attempts': { retry: { attempts: 4 } },
  'connect-only': { retry: { on: ['connect'] } },
  'after-head': { retry: { attempts: 3, on: ['connect', 'reset', 'timeout', 503] } },
  statuses: { origins: 2, retry: { on: [503] } },
  'all-statuses': { origins: 2, retry: { on: [503] } },
  slow: { retry: { on: ['timeout'] }, timeouts: { headersMs: 1_000 } },
  stale: {},
});

/** Answers every request but the first for each target, which gets `first`. */
function answerAfter(first: OriginHandler): OriginHandler {
  const seen = new Set<string>();
  return (request, connection) => {
    if (seen.has(request.target)) connection.answer({ body: 'second try' });
    else first(request, connection);
    seen.add(request.target);
  };
}

const reset: OriginHandler = (_: OriginRequest, connection: OriginConnection) => connection.reset();

t.test('an origin that is down is 502, after as many tries as the cluster allows', async (t) => {
  for (const method of ['GET', 'POST']) {
    const response = await proxy.request(
      formatRequest(method, '/down/', {}, method === 'POST' ? 'body' : ''),
    );
    t.equal(response.status, 502);
    t.match(response.text, '"code":"GW_ERR_UPSTREAM_CONNECT"');
    t.equal((await proxy.logged(response)).attempts, 2);
  }
  t.equal(await proxy.count('retries_total', 'down'), 2);
  t.equal(await proxy.count('upstream_errors_total', 'down', { code: 'GW_ERR_UPSTREAM_CONNECT' }), 4);
});

t.test('nothing of an origin that is down shows in the answer', async (t) => {
  const response = await proxy.request(formatRequest('GET', '/down/'));
  t.notMatch(response.headBytes.toString() + response.text, /127\.0\.0\.1|ECONNREFUSED|down-0/);
});

t.test('a request that could not be sent goes to another destination, whatever its method', async (t) => {
  const origin = proxy.origin('half-down');
  origin.handler = async (request, connection) => {
    await request.ended;
    connection.answer({ body: 'here' });
  };
  const bodies = ['', 'small', 'x'.repeat(1_000_000)];
  for (const method of ['GET', 'POST', 'PATCH', 'PUT', 'DELETE']) {
    const attempts: unknown[] = [];
    for (const body of method === 'GET' ? ['', ''] : [...bodies, ...bodies]) {
      const arrived = origin.requestArrived();
      const response = await proxy.request(formatRequest(method, '/half-down/', {}, body));
      t.same([response.status, response.text], [200, 'here'], `${method}, ${body.length} bytes`);
      t.ok((await arrived).text === body, 'the body arrives as it was sent');
      attempts.push((await proxy.logged(response)).attempts);
    }
    t.ok(attempts.includes(2), `${method} met the destination that is down`);
  }
});

t.test(
  'a connection reset before the answer is followed by another try for idempotent methods',
  async (t) => {
    const origin = proxy.origin('resets');
    for (const [end, first] of [
      ['reset', reset],
      ['closed', (_: OriginRequest, connection: OriginConnection) => connection.close()],
      [
        'reset within the head',
        (_: OriginRequest, connection: OriginConnection) => {
          connection.write('HTTP/1.1 200 OK\r\nContent-Le');
          connection.reset();
        },
      ],
    ] as const) {
      origin.handler = answerAfter(first);
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']) {
        const target = `/resets/${method}/${end.replaceAll(' ', '-')}`;
        const response = await proxy.request(formatRequest(method, target));
        t.equal(response.status, 200, `${method}: ${end}`);
        t.equal((await proxy.logged(response)).attempts, 2);
      }
      for (const method of ['POST', 'PATCH', 'LOCK']) {
        const target = `/resets/${method}/${end.replaceAll(' ', '-')}`;
        const response = await proxy.request(formatRequest(method, target));
        t.equal(response.status, 502, `${method}: ${end}`);
        t.match(response.text, '"code":"GW_ERR_UPSTREAM_RESET"');
        t.equal(origin.requests.filter((request) => request.target === target).length, 1);
      }
    }
  },
);

t.test('the number of attempts counts all tries', async (t) => {
  for (const [cluster, attempts] of [
    ['one-attempt', 1],
    ['four-attempts', 4],
  ] as const) {
    proxy.origin(cluster).handler = reset;
    const response = await proxy.request(formatRequest('GET', `/${cluster}/`));
    t.equal(response.status, 502);
    t.match(response.text, '"code":"GW_ERR_UPSTREAM_RESET"');
    t.equal(proxy.origin(cluster).requests.length, attempts);
    t.equal((await proxy.logged(response)).attempts, attempts);
  }
});

t.test('only what the cluster names is tried again', async (t) => {
  const origin = proxy.origin('connect-only');
  origin.handler = reset;
  const response = await proxy.request(formatRequest('GET', '/connect-only/'));
  t.same([response.status, origin.requests.length], [502, 1]);
});

t.test('nothing is tried again once the head of an answer has gone out', async (t) => {
  const origin = proxy.origin('after-head');
  for (const end of ['reset', 'closed'] as const) {
    const before = origin.requests.length;
    origin.handler = (_, connection) => connection.breakOff(end, 1_000, { body: 'begun' });
    const response = await proxy.request(formatRequest('GET', '/after-head/'));
    t.equal(response.status, 200);
    t.not(response.ended, 'complete');
    t.equal(origin.requests.length, before + 1);
  }
});

t.test('a status that the cluster names is tried on another destination', async (t) => {
  proxy.origin('statuses', 0).handler = (_, connection) => connection.answer({ status: 503, body: 'busy' });
  proxy.origin('statuses', 1).handler = (_, connection) => connection.answer({ body: 'fine' });
  for (let round = 0; round < 4; round++) {
    const response = await proxy.request(formatRequest('GET', '/statuses/'));
    t.same([response.status, response.text], [200, 'fine']);
  }
  const statuses: number[] = [];
  for (let round = 0; round < 4; round++) {
    statuses.push((await proxy.request(formatRequest('POST', '/statuses/', {}, 'body'))).status);
  }
  t.same(statuses.sort(), [200, 200, 503, 503], 'but not for POST');
});

t.test('the last answer is passed on as it is when every destination gives such a status', async (t) => {
  for (const index of [0, 1]) {
    proxy.origin('all-statuses', index).handler = (_, connection) =>
      connection.answer({ status: 503, headers: { 'Retry-After': '7' }, body: 'busy, says the origin' });
  }
  const response = await proxy.request(formatRequest('GET', '/all-statuses/'));
  t.same(
    [response.status, response.text, response.header('retry-after'), response.ended],
    [503, 'busy, says the origin', '7', 'complete'],
  );
  t.equal((await proxy.logged(response)).attempts, 2);
  t.same(
    [0, 1].map((index) => proxy.origin('all-statuses', index).requests.length),
    [1, 1],
  );
});

t.test('a destination that is silent for too long is tried again where the cluster says so', async (t) => {
  const origin = proxy.origin('slow');
  origin.handler = answerAfter(() => {});
  const response = await proxy.request(formatRequest('GET', '/slow/get'));
  t.same([response.status, response.text], [200, 'second try']);
  const post = await proxy.request(formatRequest('POST', '/slow/post', {}, 'body'));
  t.equal(post.status, 504);
  t.match(post.text, '"code":"GW_ERR_UPSTREAM_TIMEOUT"');
});

t.test(
  'a kept connection that the origin closes as a request comes costs an idempotent request nothing',
  async (t) => {
    const origin = proxy.origin('stale');
    for (const end of ['close', 'reset'] as const) {
      origin.handler = (_, connection) => connection.answer({ body: 'first' });
      t.equal((await proxy.request(formatRequest('GET', '/stale/'))).text, 'first');
      const kept = origin.requests.at(-1)?.connectionNumber;
      origin.handler = (request, connection) => {
        if (request.connectionNumber === kept) connection[end]();
        else connection.answer({ body: 'second' });
      };
      const response = await proxy.request(formatRequest('GET', '/stale/'));
      t.same([response.status, response.text], [200, 'second']);
      t.equal(origin.requests.at(-2)?.connectionNumber, kept, 'the kept connection was tried first');
    }
  },
);

t.test('a kept connection that the origin has closed is not used', async (t) => {
  const origin = proxy.origin('stale');
  origin.handler = (_, connection) => connection.answer({ body: 'ok' });
  await proxy.request(formatRequest('GET', '/stale/'));
  for (const method of ['POST', 'GET']) {
    origin.handler = (_, connection) => {
      connection.answer({ body: 'ok' });
      connection.close();
    };
    await proxy.request(formatRequest('GET', '/stale/'));
    await origin.waitForConnections(0);
    origin.handler = (_, connection) => connection.answer({ body: 'ok' });
    const response = await proxy.request(formatRequest(method, '/stale/', {}, 'body'));
    t.equal(response.status, 200, method);
    t.equal((await proxy.logged(response)).attempts, 1);
  }
});

t.test('no failure of an origin harms the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
});
