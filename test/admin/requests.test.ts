/** What bodies the API takes, and the endpoints that do not touch the configuration. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import t from 'tap';
import type { ChangeOrder } from '../../lib/admin/control-plane.ts';
import type { Route } from '../../lib/core/config/model.ts';
import { watchEventLoop } from '../helpers/event-loop-block.ts';
import { connect } from '../helpers/raw-client.ts';
import { formatCall, startAdmin } from './started-admin.ts';

const admin = await startAdmin(t);
const { call, controlPlane, port, tokens } = admin;

t.test('bad JSON is refused with the place, and nothing of it is repeated', async (t) => {
  const response = await call('PUT', 'config', { body: '{"routes": {"a": {"b": hunter2}}}' });
  const { code, detail } = JSON.parse(response.text);
  t.same([response.status, code], [400, 'GW_ERR_INVALID_REQUEST']);
  t.match(detail, /^not valid JSON \(byte \d+, at \/routes\/a\)/);
  t.notMatch(response.text, /hunter2/);
});

t.test('a body may not reach a prototype', async (t) => {
  for (const body of [
    '{"__proto__":{"a":1}}',
    '{"routes":{"__proto__":{}}}',
    '{"routes":{"a":{"__proto__":{}}}}',
  ]) {
    const response = await call('PUT', 'config', { body });
    t.same([response.status, JSON.parse(response.text).code], [400, 'GW_ERR_INVALID_REQUEST'], body);
  }
  t.equal(({} as Record<string, unknown>).a, undefined);
});

t.test('only JSON is taken, and a body is needed where one is', async (t) => {
  for (const type of [
    'text/yaml',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'x',
  ]) {
    const response = await call('PUT', 'config', { body: '{}', headers: { 'Content-Type': type } });
    t.same([response.status, JSON.parse(response.text).code], [415, 'GW_ERR_UNSUPPORTED_MEDIA_TYPE'], type);
  }
  const charset = { 'Content-Type': 'application/json; charset=utf-8' };
  t.equal((await call('PUT', 'config', { body: '{}', headers: charset })).status, 200);
  for (const [method, path] of [
    ['POST', 'changes'],
    ['POST', 'explain'],
    ['POST', 'rollback'],
    ['PUT', 'routes'],
  ] as const) {
    t.equal((await call(method, path)).status, 400, path);
    t.equal((await call(method, path, { body: '[]' })).status, 400, path);
    t.equal((await call(method, path, { body: 'null' })).status, 400, path);
  }
  for (const path of ['config', 'routes/a']) {
    t.match(JSON.parse((await call('PUT', path)).text), { status: 400, detail: /body is missing/ });
  }
  const empty = { headers: { 'Content-Type': 'application/json' } };
  t.equal((await call('DELETE', 'routes', empty)).status, 200, 'what no body is needed for takes none');
  t.equal((await call('POST', 'workers/restart', empty)).status, 202);
});

t.test('a body too large is refused, and the client that is still sending it gets to know', async (t) => {
  const large = JSON.stringify({ method: 'GET', url: '/', headers: { a: 'x'.repeat(1_100_000) } });
  for (const [method, path, body] of [
    ['POST', 'explain', large],
    ['PUT', 'routes/a', large],
    ['PUT', 'config', ' '.repeat(64 * 1_048_576 + 1)],
  ] as const) {
    const response = await call(method, path, { body });
    t.same([response.status, JSON.parse(response.text).code], [413, 'GW_ERR_BODY_TOO_LARGE'], path);
  }
  const client = await connect(port, { owner: t });
  const chunked = { 'Transfer-Encoding': 'chunked', 'Content-Type': 'application/json' };
  client.send(formatCall(tokens, 'POST', '/api/gateway/explain', { headers: chunked }));
  client.send(`${(1_048_577).toString(16)}\r\n${' '.repeat(1_048_577)}\r\n0\r\n\r\n`);
  t.equal((await client.readResponse()).status, 413, 'in chunks as well');
  client.send(formatCall(tokens, 'GET', '/api/gateway/status'));
  t.equal((await client.readResponse()).status, 200, 'and the connection is as good as before');
});

t.test('a body in pieces, and one that breaks off', async (t) => {
  const text = formatCall(tokens, 'PUT', '/api/gateway/clusters/p', {
    body: { destinations: { d: { url: 'http://127.0.0.1:1' } } },
  });
  const client = await connect(port, { owner: t });
  for (const byte of text) client.send(byte);
  t.equal((await client.readResponse()).status, 201);
  const orders = controlPlane.orders.length;
  const broken = await connect(port, { owner: t });
  broken.send(text.slice(0, -5));
  await broken.flushed();
  broken.end();
  await broken.waitForClose();
  t.equal(controlPlane.orders.length, orders);
  const isNoted = () => admin.logs.some(({ code }) => code === 'GW_ERR_CLIENT_ABORTED');
  while (!isNoted()) await call('GET', 'status');
  t.notOk(
    admin.logs.some(({ msg }) => msg === 'the management API failed'),
    'and that is no failure of ours',
  );
});

t.test('a body of the wrong shape is refused with every place', async (t) => {
  const reports = [{ cluster: 'c', destination: 'd', healthy: 'yes', sequence: -1, ttlMs: 10 }];
  const response = await call('POST', 'health', { body: { reports } });
  const { problems } = JSON.parse(response.text);
  t.equal(response.status, 400);
  t.same(
    problems.map(({ pointer }: { pointer: string }) => pointer),
    ['/reports/0/healthy', '/reports/0/sequence', '/reports/0/ttlMs'],
  );
  const numbers = await call('POST', 'rollback', { body: { revision: '7' } });
  t.equal(numbers.status, 400, 'a text is no number in a body');
});

t.test('reports on what the configuration does not have are taken, and named', async (t) => {
  const { call } = await startAdmin(t);
  const body = { clusters: { c: { destinations: { d: { url: 'http://127.0.0.1:1' } } } } };
  await call('PUT', 'config', { body });
  const report = (cluster: string, destination: string) => ({
    cluster,
    destination,
    healthy: true,
    sequence: 1,
  });
  const send = async (reports: readonly object[]) =>
    JSON.parse((await call('POST', 'health', { body: { reports } })).text);
  t.same(await send([report('c', 'd')]), { accepted: 1, unknown: [] });
  t.same(await send([report('c', 'd'), report('c', 'toString'), report('x', 'd'), report('x', 'd')]), {
    accepted: 4,
    unknown: [
      { cluster: 'c', destination: 'toString' },
      { cluster: 'x', destination: 'd' },
    ],
  });
  const many = await send(Array.from({ length: 150 }, (_, index) => report('c', `d${index}`)));
  t.same([many.accepted, many.unknown.length], [150, 100]);
});

t.test('health is reported and read', async (t) => {
  const report = { cluster: 'c', destination: 'd', healthy: false, sequence: 3, reason: '503' };
  const taken = await call('POST', 'health', { as: 'operator', body: { reports: [report] } });
  t.same(
    [taken.status, JSON.parse(taken.text)],
    [200, { accepted: 1, unknown: [{ cluster: 'c', destination: 'd' }] }],
  );
  const read = await call('GET', 'health', { as: 'reader' });
  t.same(JSON.parse(read.text), { reports: [{ ...report, ttlMs: 30_000 }] });
  const full = Array.from({ length: 10_000 }, (_, sequence) => ({
    ...report,
    sequence,
    reason: 'r'.repeat(500),
  }));
  t.equal((await call('POST', 'health', { body: { reports: full } })).status, 200);
  t.equal((await call('POST', 'health', { body: { reports: [...full, report] } })).status, 400);
});

t.test('explain takes headers in each form', async (t) => {
  const url = 'http://a.example/x?y=1';
  const ask = async (headers: unknown) =>
    (await call('POST', 'explain', { body: { method: 'GET', url, headers } })).status;
  const pairs = [
    ['a', '1'],
    ['a', '2'],
    ['B', '3'],
  ];
  t.equal(await ask({ a: ['1', '2'], B: '3' }), 200);
  t.same(controlPlane.explained.at(-1), { method: 'GET', url, headers: pairs });
  t.equal(await ask(pairs), 200);
  t.same(controlPlane.explained.at(-1)?.headers, pairs);
  const body = { method: 'GET', url, clientAddress: '10.0.0.1' };
  t.equal((await call('POST', 'explain', { body })).status, 200);
  t.same(controlPlane.explained.at(-1), { method: 'GET', url, headers: [], clientAddress: '10.0.0.1' });
  for (const bad of [{ a: 1 }, [['a']], [['a', '1', '2']], 'a: 1', Array(201).fill(['a', '1']), { a: [1] }]) {
    t.equal(await ask(bad), 400, JSON.stringify(bad).slice(0, 40));
  }
});

t.test('status, fleet and restart', async (t) => {
  t.same(JSON.parse((await call('GET', 'status')).text), controlPlane.status());
  t.same(JSON.parse((await call('GET', 'instances')).text), { instances: await controlPlane.instances() });
  const before = controlPlane.restarts;
  const restart = await call('POST', 'workers/restart', { as: 'operator' });
  t.same(
    [restart.status, JSON.parse(restart.text), controlPlane.restarts],
    [202, { restarting: true }, before + 1],
  );
});

t.test('100,000 routes are read and taken without holding up the event loop', async (t) => {
  const routes = new Map<string, Route>();
  for (let index = 0; index < 100_000; index += 1) {
    const match = { hosts: [`h${index % 100}.example`], path: `/p/${index}/{**rest}` };
    routes.set(`route-${index}`, { match, cluster: 'c' });
  }
  const { configuration } = controlPlane.current();
  controlPlane.set({ ...configuration, routes });
  for (const path of ['config', 'routes']) {
    const { isSliced, shown, text } = await drain(formatCall(tokens, 'GET', `/api/gateway/${path}`));
    t.ok(isSliced, `${path} is read: ${shown}`);
    t.match(text, /"route-99999":/);
  }
  // What is behind the API has tests of its own: here only the reading of the body counts.
  controlPlane.change = async (order: ChangeOrder) => {
    controlPlane.orders.push(order);
    const { revision, id } = controlPlane.current().head;
    return {
      revision,
      id,
      changed: false,
      operations: 0,
      difference: [],
      warnings: [],
      applied: [],
      complete: true,
    };
  };
  const body = { clusters: {}, routes: Object.fromEntries(routes) };
  const { isSliced, shown } = await drain(formatCall(tokens, 'PUT', '/api/gateway/config', { body }));
  t.ok(isSliced, `a document is taken: ${shown}`);
  const { content } = controlPlane.orders.at(-1) as ChangeOrder;
  t.equal(JSON.stringify('document' in content ? content.document : null), JSON.stringify(body));
});

interface Drained {
  /** Whether most of the work was done in slices. Load of the machine makes all of them longer alike. */
  readonly isSliced: boolean;
  readonly shown: string;
  readonly text: string;
}

/** Sends a request with a client that does nothing with the answer but keep it. */
async function drain(text: string): Promise<Drained> {
  const bytes = Buffer.from(text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'), 'latin1');
  const socket = createConnection(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'connect');
  const { longestBlockMs, totalMs } = await watchEventLoop(async () => {
    socket.write(bytes);
    await once(socket, 'close');
  });
  const shown = `longest block ${longestBlockMs.toFixed(1)} of ${totalMs.toFixed(1)} ms`;
  return { isSliced: longestBlockMs < totalMs / 2, shown, text: Buffer.concat(chunks).toString('latin1') };
}
