/** What happens to the body of a request when an attempt fails: sent again byte by byte, or not at all. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import type { OriginRequest } from '../helpers/origin-request.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import type { OriginHandler } from '../helpers/scripted-origin.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

const REPLAY_LIMIT_BYTES = 65_536;

const proxy = await startScriptedClusters(t, {
  small: {},
  large: {},
  chunked: {},
  halfway: {},
  'halfway-large': {},
  'early-reset': {},
  statuses: { retry: { on: [503], attempts: 3 } },
});

/** Every byte value, so that nothing that touches the bytes goes unseen. */
function bodyOf(bytes: number): Buffer {
  return randomBytes(bytes);
}

function put(target: string, body: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(formatRequest('PUT', target, { 'Content-Length': String(body.length) })),
    body,
  ]);
}

/** Resets the connection once the whole body has come, `times` times; answers with its length from then on. */
function failAfterBody(times: number): OriginHandler {
  let failures = 0;
  return async (request: OriginRequest, connection: OriginConnection) => {
    await request.ended;
    failures += 1;
    if (failures <= times) connection.reset();
    else connection.answer({ body: String(request.body.length) });
  };
}

t.test('a body up to the limit is sent again as it was', async (t) => {
  const origin = proxy.origin('small');
  for (const bytes of [1, 1_000, REPLAY_LIMIT_BYTES - 1, REPLAY_LIMIT_BYTES]) {
    const before = origin.requests.length;
    const body = bodyOf(bytes);
    origin.handler = failAfterBody(1);
    const response = await proxy.request(put('/small/', body));
    t.same([response.status, response.text], [200, String(bytes)]);
    const attempts = origin.requests.slice(before);
    t.equal(attempts.length, 2);
    for (const attempt of attempts) t.ok(attempt.body.equals(body), `${bytes} bytes, byte by byte`);
    t.same(
      attempts.map((attempt) => attempt.header('content-length')),
      [String(bytes), String(bytes)],
    );
  }
});

t.test('a larger body is not sent again', async (t) => {
  const origin = proxy.origin('large');
  for (const bytes of [REPLAY_LIMIT_BYTES + 1, 500_000]) {
    const before = origin.requests.length;
    origin.handler = failAfterBody(1);
    const response = await proxy.request(put('/large/', bodyOf(bytes)));
    t.equal(response.status, 502);
    t.match(response.text, '"code":"GW_ERR_UPSTREAM_RESET"');
    t.equal(origin.requests.length, before + 1);
  }
});

t.test('a chunked body is sent again whole', async (t) => {
  const origin = proxy.origin('chunked');
  origin.handler = failAfterBody(1);
  const chunks = '5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n';
  const head = formatRequest('PUT', '/chunked/', { 'Transfer-Encoding': 'chunked' });
  const response = await proxy.request(head + chunks);
  t.same([response.status, response.text], [200, '11']);
  // The second time its length is known, so that it may come with that instead: the origin takes either.
  t.same(
    origin.requests.map((request) => request.text),
    ['firstsecond', 'firstsecond'],
  );
  t.same(origin.malformed, []);
});

t.test('what had come of a body when the origin failed is sent again, and the rest behind it', async (t) => {
  const origin = proxy.origin('halfway');
  const body = bodyOf(50_000);
  const client = await proxy.connect(t);
  origin.handler = (_, connection) => {
    origin.handler = failAfterBody(0);
    const second = origin.requestArrived();
    connection.reset();
    void second.then(() => client.send(body.subarray(10_000)));
  };
  client.send(formatRequest('PUT', '/halfway/', { 'Content-Length': String(body.length) }));
  client.send(body.subarray(0, 10_000));
  const response = await client.readResponse();
  t.same([response.status, response.text], [200, '50000']);
  t.equal(origin.requests.length, 2);
  t.ok(origin.requests[1]?.body.equals(body), 'byte by byte');
});

t.test('a body that grows beyond the limit during the second try still arrives whole', async (t) => {
  const origin = proxy.origin('halfway-large');
  const body = bodyOf(300_000);
  const client = await proxy.connect(t);
  origin.handler = (_, connection) => {
    origin.handler = failAfterBody(0);
    const second = origin.requestArrived();
    connection.reset();
    void second.then(() => client.send(body.subarray(10_000)));
  };
  client.send(formatRequest('PUT', '/halfway-large/', { 'Content-Length': String(body.length) }));
  client.send(body.subarray(0, 10_000));
  const response = await client.readResponse();
  t.same([response.status, response.text], [200, '300000']);
  t.ok(origin.requests[1]?.body.equals(body), 'byte by byte');
});

t.test('a status that is tried again has the body sent again', async (t) => {
  const origin = proxy.origin('statuses');
  const body = bodyOf(20_000);
  origin.handler = async (request, connection) => {
    await request.ended;
    if (origin.requests.length < 3) connection.answer({ status: 503, body: 'busy' });
    else connection.answer({ body: 'done' });
  };
  const response = await proxy.request(put('/statuses/', body));
  t.same([response.status, response.text], [200, 'done']);
  t.equal(origin.requests.length, 3);
  for (const request of origin.requests) t.ok(request.body.equals(body), 'byte by byte');
});

t.test('the client connection serves the next request after a replay', async (t) => {
  const origin = proxy.origin('early-reset');
  const client = await proxy.connect(t);
  for (let round = 0; round < 3; round++) {
    const body = bodyOf(30_000);
    origin.handler = failAfterBody(1);
    client.send(put('/early-reset/', body));
    const response = await client.readResponse();
    t.same([response.status, response.text, response.header('connection')], [200, '30000', 'keep-alive']);
    t.ok(origin.requests.at(-1)?.body.equals(body), 'byte by byte');
  }
});

t.test('no replay harms the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
});
