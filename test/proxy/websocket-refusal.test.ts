/** Upgrades that do not become a WebSocket: what the client gets instead, and what the origin is spared. */
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { startScriptedClusters } from './scripted-clusters.ts';
import { ACCEPT_FIELDS, formatUpgrade } from './websocket-peers.ts';

const proxy = await startScriptedClusters(t, {
  refuses: { route: { responseHeaders: { set: { 'x-gateway': 'fengling' } } } },
  breaks: {},
  down: { origins: 0, dead: 1 },
  empty: { origins: 0 },
  silent: { timeouts: { headersMs: 300 } },
  drops: {},
  garbage: {},
  waits: {},
  ordinary: {},
  gone: {},
  alive: {},
});

/** A frame with a text, as a client sends it, masked with zeros. */
const FRAME = Buffer.concat([Buffer.from([0x81, 0x85, 0, 0, 0, 0]), Buffer.from('hello')]);

t.test('the answer of an origin that refuses reaches the client, body and all', async (t) => {
  for (const [status, framing] of [
    [403, 'length'],
    [401, 'chunked'],
    [503, 'close'],
    [200, 'length'],
  ] as const) {
    proxy.origin('refuses').handler = (_, connection) => {
      const answer = { status, headers: { 'X-Why': 'because', 'Keep-Alive': 'timeout=5' }, body: 'not you' };
      if (framing === 'length') connection.answer(answer);
      else if (framing === 'close') connection.answerUntilClose(answer);
      else connection.answerChunked({ ...answer, chunks: ['not ', 'you'] });
    };
    const client = await proxy.connect(t);
    client.send(formatUpgrade('/refuses/'));
    const response = await client.readResponse();
    t.same([response.status, response.text, response.ended], [status, 'not you', 'complete'], framing);
    t.same(
      ['x-why', 'x-gateway', 'keep-alive', 'connection'].map((name) => response.header(name)),
      ['because', 'fengling', undefined, 'close'],
    );
    t.match(response.header('x-request-id'), /^\S+$/);
    await client.waitForClose();
    await proxy.origin('refuses').waitForConnections(0);
  }
});

t.test('a refusal that breaks off is not taken for a whole one', async (t) => {
  for (const framing of ['length', 'chunked']) {
    proxy.origin('breaks').handler = (_, connection) => {
      if (framing === 'length') return connection.breakOff('closed', 100, { status: 403, body: 'not' });
      connection.beginChunked({ status: 403 });
      connection.writeChunk('not');
      connection.close();
    };
    const response = await proxy.request(formatUpgrade('/breaks/'));
    t.equal(response.status, 403);
    t.not(response.ended, 'complete', framing);
  }
});

t.test('an origin that is down is 502', async (t) => {
  const response = await proxy.request(formatUpgrade('/down/'));
  t.equal(response.status, 502);
  t.match(response.text, '"code":"GW_ERR_UPSTREAM_CONNECT"');
  t.equal(response.header('connection'), 'close');
  t.notMatch(response.headBytes.toString() + response.text, /127\.0\.0\.1|ECONNREFUSED/);
});

t.test('a cluster without destinations is 503', async (t) => {
  const response = await proxy.request(formatUpgrade('/empty/'));
  t.equal(response.status, 503);
  t.match(response.text, '"code":"GW_ERR_NO_DESTINATION"');
});

t.test('a silent origin is 504 after headersMs, and its connection is closed', async (t) => {
  const response = await proxy.request(formatUpgrade('/silent/'));
  t.equal(response.status, 504);
  t.match(response.text, '"code":"GW_ERR_UPSTREAM_TIMEOUT"');
  await proxy.origin('silent').waitForConnections(0);
});

t.test('an origin that drops the connection is 502', async (t) => {
  for (const end of ['close', 'reset'] as const) {
    proxy.origin('drops').handler = (_, connection) => connection[end]();
    const response = await proxy.request(formatUpgrade('/drops/'));
    t.equal(response.status, 502, end);
    t.match(response.text, '"code":"GW_ERR_UPSTREAM_RESET"');
  }
});

t.test('an origin that does not answer in HTTP is 502', async (t) => {
  proxy.origin('garbage').handler = (_, connection) => connection.write('SSH-2.0-OpenSSH_9.6\r\n');
  const response = await proxy.request(formatUpgrade('/garbage/'));
  t.equal(response.status, 502);
  t.match(response.text, '"code":"GW_ERR_UPSTREAM_PROTOCOL"');
});

t.test('what a client sends behind its upgrade reaches the origin only after its 101', async (t) => {
  // Else a refused upgrade would carry whatever follows it past the gateway, as requests of nobody's.
  const origin = proxy.origin('waits');
  const held = Promise.withResolvers<OriginConnection>();
  origin.handler = (_, connection) => held.resolve(connection);
  const client = await proxy.connect(t);
  client.send(Buffer.concat([Buffer.from(formatUpgrade('/waits/')), FRAME]));
  const connection = await held.promise;
  connection.inform(103);
  const before = connection.takeOver();
  const early: Buffer[] = [];
  before.on('data', (bytes: Buffer) => early.push(bytes));
  await proxy.gateway.metrics();
  t.same(early, [], 'nothing yet');
  const arrived = new Promise((resolve) => before.once('data', resolve));
  connection.inform(101, ACCEPT_FIELDS);
  t.equal((await client.readHead()).status, 101);
  t.same(await arrived, FRAME);
});

t.test('what a client sends behind an upgrade that is refused goes nowhere', async (t) => {
  const origin = proxy.origin('waits');
  const before = origin.requests.length;
  origin.handler = (_, connection) => connection.answer({ status: 403, body: 'no' });
  const client = await proxy.connect(t);
  client.send(formatUpgrade('/waits/') + formatRequest('GET', '/waits/smuggled'));
  const response = await client.readResponse();
  t.equal(response.status, 403);
  await client.waitForClose();
  t.equal(client.unread.length, 0);
  await proxy.waitUntilIdle('waits');
  t.same(
    origin.requests.slice(before).map(({ target }) => target),
    ['/waits/'],
  );
  t.same(origin.malformed, []);
});

t.test('an upgrade is admitted and routed like any request', async (t) => {
  const cases: [problem: string, text: string, status: number, code: string][] = [
    ['no route', formatUpgrade('/nowhere'), 404, 'GW_ERR_NO_ROUTE'],
    ['an encoded slash', formatUpgrade('/alive/a%2Fb'), 400, 'GW_ERR_BAD_TARGET'],
    ['a backslash', formatUpgrade('/alive/a\\b'), 400, 'GW_ERR_BAD_TARGET'],
    ['a path above the root', formatUpgrade('/../alive/'), 400, 'GW_ERR_BAD_TARGET'],
    [
      'two hosts',
      formatUpgrade('/alive/', [
        ['Host', 'a'],
        ['Host', 'b'],
      ]),
      400,
      'GW_ERR_BAD_HOST',
    ],
    ['a bad host', formatUpgrade('/alive/', [['Host', 'a/b']]), 400, 'GW_ERR_BAD_HOST'],
    ['no host', formatUpgrade('/alive/').replace('Host: localhost\r\n', ''), 400, 'GW_ERR_BAD_HOST'],
  ];
  for (const [problem, text, status, code] of cases) {
    const client = await proxy.connect(t);
    client.send(text);
    const response = await client.readResponse();
    t.equal(response.status, status, problem);
    t.match(response.text, `"code":"${code}"`);
    t.equal(response.header('connection'), 'close');
    await client.waitForClose();
  }
  t.equal(proxy.origin('alive').requests.length, 0);
});

t.test('what is no upgrade of a GET to WebSocket is served without the upgrade', async (t) => {
  const origin = proxy.origin('ordinary');
  origin.handler = async (request, connection) => {
    await request.ended;
    connection.answer({ body: request.text });
  };
  const fields = { Connection: 'Upgrade', Upgrade: 'websocket' };
  const cases: [what: string, text: string, body: string][] = [
    ['POST', formatRequest('POST', '/ordinary/', fields, 'body'), 'body'],
    ['a GET with a body', formatRequest('GET', '/ordinary/', fields, 'body'), 'body'],
    ['HTTP/1.0', formatUpgrade('/ordinary/').replace('HTTP/1.1', 'HTTP/1.0'), ''],
    ['h2c', formatRequest('GET', '/ordinary/', { ...fields, Upgrade: 'h2c' }), ''],
    [
      'one of several protocols',
      formatRequest('GET', '/ordinary/', { ...fields, Upgrade: 'h2c, websocket' }),
      '',
    ],
  ];
  for (const [what, text, body] of cases) {
    const response = await proxy.request(text);
    t.same([response.status, response.text], [200, body], what);
    const received = origin.requests.at(-1);
    t.same(
      [received?.header('upgrade'), received?.header('connection')?.toLowerCase()],
      [undefined, 'keep-alive'],
    );
  }
});

t.test('a client that goes away before the answer ends the upgrade at the origin', async (t) => {
  const origin = proxy.origin('gone');
  for (const depart of ['close', 'reset'] as const) {
    const client = await proxy.connect(t);
    const arrived = origin.requestArrived();
    client.send(formatUpgrade('/gone/'));
    await arrived;
    client[depart]();
    await origin.waitForConnections(0);
    await proxy.waitUntilIdle('gone');
  }
});

t.test('no refusal harms the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
});
