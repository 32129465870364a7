/** `http: { engine: undici }`: the other engine does the same, and a change of the engine is noticed by nobody. */
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Cluster } from '../../lib/core/config/model.ts';
import { runGatewayCommand } from '../helpers/gateway-command.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import type { HeaderField } from '../helpers/http-message.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { type OriginHandler, startOrigin } from '../helpers/scripted-origin.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { answerOk, problemCode } from './proxied-origin.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

const http = { engine: 'undici' } as const;

const proxy = await startScriptedClusters(t, {
  bodies: { http },
  bodiless: { http },
  faults: { http, retry: { attempts: 1 } },
  retries: { http },
  'half-down': { http, origins: 1, dead: 1 },
  trailers: { http },
  expects: { http },
  full: { http, pool: { maxConnections: 1, maxQueued: 1 } },
});

const SMALL = randomBytes(1_000);
const LARGE = randomBytes(3_000_000);

const digestOf = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');

t.test('bodies pass both ways, with a length and in chunks', async (t) => {
  for (const body of [SMALL, LARGE]) {
    for (const framing of ['length', 'chunks'] as const) {
      proxy.origin('bodies').handler = async (request, connection) => {
        await request.ended;
        const headers = { 'X-Received': digestOf(request.body) };
        if (framing === 'length') connection.answer({ headers, body });
        else connection.answerChunked({ headers, chunks: [body.subarray(0, 7), body.subarray(7)] });
      };
      const field = framing === 'length' ? 'Content-Length' : 'Transfer-Encoding';
      const head = formatRequest('PUT', '/bodies/', {
        [field]: framing === 'length' ? String(body.length) : 'chunked',
      });
      const content =
        framing === 'length'
          ? [body]
          : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')];
      const response = await proxy.request(Buffer.concat([Buffer.from(head), ...content]));
      t.same(
        [response.status, response.ended, response.header('x-received'), digestOf(response.body)],
        [200, 'complete', digestOf(body), digestOf(body)],
        `${body.length} bytes: ${framing}`,
      );
      const received = proxy.origin('bodies').requests.at(-1);
      t.equal(received?.header(field), framing === 'length' ? String(body.length) : 'chunked');
    }
  }
});

t.test('answers without a body are that', async (t) => {
  const client = await proxy.connect(t);
  for (const [method, head, status, length] of [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n', 200, '1234'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', 204, undefined],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 304, undefined],
  ] as const) {
    proxy.origin('bodiless').handler = (_, connection) => connection.write(head);
    client.send(formatRequest(method, '/bodiless/'));
    const response = await client.readResponse({ toHead: method === 'HEAD' });
    t.same([response.status, response.header('content-length'), response.text], [status, length, ''], method);
  }
  t.equal(client.unread.length, 0);
});

for (const [what, handler, status, code] of [
  ['a reset before the answer', (_, connection) => connection.reset(), 502, 'GW_ERR_UPSTREAM_RESET'],
  ['a close before the answer', (_, connection) => connection.close(), 502, 'GW_ERR_UPSTREAM_RESET'],
  [
    'bytes that are no HTTP',
    (_, connection) => connection.write('rubbish\r\n\r\n'),
    502,
    'GW_ERR_UPSTREAM_PROTOCOL',
  ],
] as const satisfies readonly (readonly [string, OriginHandler, number, string])[]) {
  t.test(`${what}: the client gets ${status}`, async (t) => {
    proxy.origin('faults').handler = handler;
    const response = await proxy.request(formatRequest('GET', '/faults/'));
    t.same([response.status, problemCode(response)], [status, code]);
    const requestId = response.header('x-request-id');
    const failed = await proxy.gateway.waitForLog(
      (line) => line.msg === 'origin failed' && line.requestId === requestId,
    );
    t.match(
      failed.detail,
      /^(UND_ERR_|ERR_ORIGIN_|Response does not match)/,
      'it is this engine that says so',
    );
    proxy.origin('faults').handler = answerOk;
    t.equal((await proxy.request(formatRequest('GET', '/faults/'))).text, 'ok');
  });
}

for (const [what, handler] of [
  ['a reset within the length', (_, connection) => connection.breakOff('reset', 9_000, { body: 'part' })],
  ['a close within the length', (_, connection) => connection.breakOff('closed', 9_000, { body: 'part' })],
  [
    'a broken chunk',
    (_, connection) => {
      connection.beginChunked();
      connection.writeChunk('part');
      connection.write('not a size\r\n');
    },
  ],
] as const satisfies readonly (readonly [string, OriginHandler])[]) {
  t.test(`${what}: the client never takes a part for the whole`, async (t) => {
    proxy.origin('faults').handler = handler;
    const response = await proxy.request(formatRequest('GET', '/faults/'));
    t.equal(response.status, 200);
    t.not(response.ended, 'complete');
  });
}

t.test('a lost connection is followed by another try, where the request may be repeated', async (t) => {
  const origin = proxy.origin('retries');
  for (const [method, body, status, attempts] of [
    ['GET', '', 200, 2],
    ['PUT', 'body', 200, 2],
    ['POST', 'body', 502, 1],
  ] as const) {
    let count = 0;
    origin.handler = async (request, connection) => {
      await request.ended;
      count += 1;
      if (count === 1) connection.reset();
      else connection.answer({ body: request.text });
    };
    const response = await proxy.request(formatRequest(method, '/retries/', {}, body));
    t.same([response.status, (await proxy.logged(response)).attempts], [status, attempts], method);
    if (status === 200) t.equal(response.text, body);
  }
});

t.test('a request that could not be sent goes to another destination', async (t) => {
  proxy.origin('half-down').handler = answerOk;
  for (const method of ['GET', 'POST', 'GET', 'POST'])
    t.equal((await proxy.request(formatRequest(method, '/half-down/', {}, 'body'))).text, 'ok');
});

t.test('what it cannot say itself is said all the same: trailers of a request', async (t) => {
  const trailers: HeaderField[] = [['X-Sum', '7']];
  proxy.origin('trailers').handler = async (request, connection) => {
    await request.ended;
    connection.answerChunked({
      headers: { Trailer: 'X-Sum' },
      chunks: [request.text],
      trailers: request.trailers,
    });
  };
  const head = formatRequest('POST', '/trailers/', { 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum' });
  const response = await proxy.request(`${head}4\r\nbody\r\n0\r\nX-Sum: 7\r\n\r\n`);
  t.same([response.text, response.trailers], ['body', trailers]);
});

t.test('and an expectation', async (t) => {
  const client = await proxy.connect(t);
  proxy.origin('expects').handler = async (request, connection) => {
    t.equal(request.header('expect'), '100-continue');
    connection.inform(100);
    await request.ended;
    connection.answer({ body: request.text });
  };
  client.send(formatRequest('POST', '/expects/', { Expect: '100-continue', 'Content-Length': '4' }));
  await client.waitForBytes('100 Continue\r\n\r\n');
  client.send('body');
  t.equal((await client.readResponse()).text, 'body');
});

t.test('a queue that is full is full', async (t) => {
  const origin = proxy.origin('full');
  const clients = await Promise.all([1, 2, 3].map(() => proxy.connect(t)));
  for (const [index, client] of clients.slice(0, 2).entries()) {
    client.send(formatRequest('GET', '/full/'));
    await proxy.waitUntil(
      async () => (await proxy.count('requests_in_flight', 'full')) === index + 1,
      'the request has not come in',
    );
  }
  await origin.waitForRequests(1);
  const refused = await proxy.request(formatRequest('GET', '/full/'));
  t.same([refused.status, problemCode(refused)], [503, 'GW_ERR_UPSTREAM_OVERLOADED']);
});

t.test('no such origin harms the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
});

/** A configuration with one cluster whose engine is this one. */
function configurationWith(engine: string, url = 'http://127.0.0.1:9') {
  const main = { destinations: { only: { url } }, http: { engine } };
  return { clusters: { main }, routes: { all: { match: { path: '/{**rest}' }, cluster: 'main' } } };
}

async function check(t: Test, engine: string) {
  const file = join(await createTemporaryDirectory(t), 'gateway.yaml');
  await writeFile(file, JSON.stringify(configurationWith(engine)));
  return runGatewayCommand(['check', file]);
}

t.test('an engine that there is not is refused, with the nearest that there is', async (t) => {
  for (const engine of ['builtin', 'undici']) t.equal((await check(t, engine)).code, 0, engine);
  const { code, stdout, stderr } = await check(t, 'undicy');
  t.not(code, 0);
  t.match(stdout + stderr, /clusters\/main\/http\/engine.*did you mean undici\?/);
});

t.test('a change of the engine under traffic loses no request', { timeout: 60_000 }, async (t) => {
  const origin = await startOrigin(
    async (request, connection) => {
      await request.ended;
      connection.answer({ body: request.text });
    },
    { owner: t },
  );
  const gateway = await startGateway(t, {
    config: configurationWith('builtin', origin.url),
    accessLog: 'off',
  });
  const wrong: string[] = [];
  let count = 0;
  let isStopping = false;
  const keepSending = async (name: number): Promise<void> => {
    const connection = await connect(gateway.port, { owner: t });
    while (!isStopping) {
      count += 1;
      const body = `${name}-${count}`;
      // Of no kind that is tried twice.
      connection.send(formatRequest('POST', '/', {}, body));
      const { status, text } = await connection.readResponse();
      if (status !== 200 || text !== body) wrong.push(`${status} ${text}`);
    }
  };
  const sending = Promise.all([1, 2, 3, 4].map(keepSending));
  for (const engine of [
    'undici',
    'builtin',
    'undici',
    'builtin',
  ] satisfies Required<Cluster>['http']['engine'][]) {
    await origin.waitForRequests(origin.requests.length + 20);
    await gateway.applyConfig(configurationWith(engine, origin.url));
  }
  await origin.waitForRequests(origin.requests.length + 20);
  isStopping = true;
  await sending;
  t.same(wrong, []);
  t.ok(count >= 100, `${count} requests`);
});
