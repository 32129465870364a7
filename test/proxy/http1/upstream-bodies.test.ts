/** What a request has behind its head, when it is sent, and what an answer has behind its body. */
import t, { type Test } from 'tap';
import type { UpstreamRequest } from '../../../lib/proxy/upstream.ts';
import type { OriginConnection } from '../../helpers/origin-connection.ts';
import { type OriginHandler, startOrigin } from '../../helpers/scripted-origin.ts';
import { activeResources, createUpstream, HeldBody, outcomeOf, send, settle } from './upstream-client.ts';

/** Answers with what the request had, once that is whole. */
const echo: OriginHandler = async (request, connection) => {
  await request.ended;
  connection.answer({ body: request.text });
};

async function start(t: Test, handler: OriginHandler = echo) {
  const origin = await startOrigin(handler, { owner: t });
  return { origin, upstream: createUpstream(t, origin.url, { maxConnections: 1 }) };
}

/** A request with a body whose length is known. */
function lengthPut(body: HeldBody, length: number, parts: Partial<UpstreamRequest> = {}) {
  return { method: 'PUT', body, headers: ['content-length', String(length)], ...parts };
}

t.test('a body goes with its length, or in chunks, and the connection is used again', async (t) => {
  const { origin, upstream } = await start(t);
  for (const chunks of [
    ['body'],
    ['in ', 'several ', 'pieces'],
    [],
    ['', 'between', ''],
    ['x'.repeat(300_000)],
  ]) {
    const text = chunks.join('');
    const known = send(upstream, '/', lengthPut(new HeldBody(chunks), text.length));
    t.ok((await outcomeOf(known)) === `200 ${text}`, `${text.length} bytes with a length`);
    const unknown = send(upstream, '/', { method: 'PUT', body: new HeldBody(chunks) });
    t.ok((await outcomeOf(unknown)) === `200 ${text}`, `${text.length} bytes in chunks`);
    const [first, second] = origin.requests.slice(-2);
    t.same(
      [first?.header('content-length'), first?.header('transfer-encoding')],
      [String(text.length), undefined],
    );
    t.same([second?.header('content-length'), second?.header('transfer-encoding')], [undefined, 'chunked']);
  }
  t.equal(origin.acceptedConnections, 1);
  t.same(origin.malformed, []);
});

t.test('a body that ends later is sent as it comes', async (t) => {
  const { origin, upstream } = await start(t);
  const body = new HeldBody(['begun'], false);
  const sent = send(upstream, '/', { method: 'PUT', body });
  await origin.waitForRequests(1);
  body.end();
  t.equal(await outcomeOf(sent), '200 begun');
});

t.test('trailers go behind the last chunk, and come from behind it', async (t) => {
  const { origin, upstream } = await start(t, async (request, connection) => {
    await request.ended;
    connection.answerChunked({ chunks: [request.text], trailers: request.trailers });
  });
  const body = new HeldBody(['body'], false);
  let trailers: string[] | null = null;
  const sent = send(upstream, '/', { method: 'PUT', body, trailers: () => trailers });
  await origin.waitForRequests(1);
  trailers = ['x-sum', '7', 'x-sum', '8'];
  body.end();
  t.equal(await outcomeOf(sent), '200 body');
  t.same(sent.trailers, trailers);
  for (const none of [null, []]) {
    const plain = send(upstream, '/', { method: 'PUT', body: new HeldBody(['b']), trailers: () => none });
    t.equal(await outcomeOf(plain), '200 b');
    t.same(plain.trailers, []);
  }
  t.equal(origin.acceptedConnections, 1);
});

t.test('trailers that cannot be sent end the request, and its connection', async (t) => {
  const { origin, upstream } = await start(t);
  const trailers = () => ['x-bad', 'a\r\nx-evil: b'];
  const sent = send(upstream, '/', { method: 'PUT', body: new HeldBody(['body']), trailers });
  t.equal(await outcomeOf(sent), 'PROTOCOL');
  await origin.waitForConnections(0);
  t.notMatch(origin.requests[0]?.headBytes.toString(), /evil/);
});

t.test('what cannot be sent of a head takes no connection', async (t) => {
  const { origin, upstream } = await start(t);
  for (const parts of [
    { headers: ['x-bad', 'a\r\nb'] },
    { headers: ['x bad', 'a'] },
    { method: 'GET /' },
    { target: '/a b' },
    { host: 'a\r\nb' },
    { method: 'PUT', body: new HeldBody([]), headers: ['content-length', '1', 'Content-Length', '1'] },
  ]) {
    const sent = send(upstream, '/', parts);
    t.same(sent.told, [], 'nothing is told before the caller has its exchange');
    await sent.over;
    t.same(sent.told, ['failure'], JSON.stringify(parts));
  }
  t.equal(origin.acceptedConnections, 0);
});

t.test('an answer before the body has ended stands, and the connection is not used again', async (t) => {
  for (const answers of ['at once', 'in pieces'] as const) {
    const { origin, upstream } = await start(t, (_, connection) => {
      if (answers === 'at once') connection.answer({ status: 413, body: 'too much' });
      else connection.answerChunked({ status: 413, chunks: ['too ', 'much'] });
    });
    const body = new HeldBody(['part'], false);
    t.equal(await outcomeOf(send(upstream, '/', { method: 'PUT', body })), '413 too much');
    t.ok(body.isDetached, 'the rest is not asked for');
    await origin.waitForConnections(0);
    body.end();
    origin.handler = echo;
    t.equal(await outcomeOf(send(upstream)), '200 ');
    t.equal(origin.acceptedConnections, 2);
  }
});

t.test('the body goes on behind the head of an answer that has not ended', async (t) => {
  const { origin, upstream } = await start(t, async (request, connection) => {
    connection.beginChunked();
    connection.writeChunk('begun ');
    await request.ended;
    connection.writeChunk(request.text);
    connection.endChunked();
  });
  const body = new HeldBody(['ended'], false);
  const sent = send(upstream, '/', { method: 'PUT', body });
  await sent.firstData;
  body.end();
  t.equal(await outcomeOf(sent), '200 begun ended');
  t.equal(await outcomeOf(send(upstream)), '200 begun ');
  t.equal(origin.acceptedConnections, 1, 'all was sent: the connection is used again');
});

/** Sends a request that asks for 100, and waits until the origin has its head. */
async function ask(t: Test, body: HeldBody) {
  const asked = Promise.withResolvers<OriginConnection>();
  const { origin, upstream } = await start(t, (_, connection) => asked.resolve(connection));
  const sent = send(upstream, '/', lengthPut(body, 4, { expectContinue: true }));
  const connection = await asked.promise;
  const request = origin.requests[0]!;
  t.equal(request.header('expect'), '100-continue');
  t.same([body.opened, sent.told], [0, ['sent']], 'the body is held back');
  return { origin, upstream, sent, connection, request };
}

t.test('the body is sent when the origin asks for it, once', async (t) => {
  const body = new HeldBody(['body']);
  const { origin, upstream, sent, connection, request } = await ask(t, body);
  connection.inform(103);
  connection.inform(100);
  connection.inform(100);
  connection.inform(103);
  t.equal(await request.ended, 'complete');
  connection.answer({ body: request.text });
  t.equal(await outcomeOf(sent), '200 body');
  t.same(sent.told, ['sent', 103, 'continue', 103, 200, 'end']);
  t.equal(body.opened, 1);
  origin.handler = echo;
  t.equal(await outcomeOf(send(upstream)), '200 ');
  t.equal(origin.acceptedConnections, 1);
});

t.test('the body is sent unasked to an origin that says nothing for a while', async (t) => {
  const { sent, connection, request } = await ask(t, new HeldBody(['body']));
  t.equal(await request.ended, 'complete');
  connection.answer({ body: request.text });
  t.equal(await outcomeOf(sent), '200 body');
  t.same(sent.told, ['sent', 'continue', 200, 'end']);
});

t.test('the body is never sent to an origin that answers at once', async (t) => {
  for (const status of [200, 413, 417]) {
    const body = new HeldBody(['body']);
    const { origin, upstream, sent, connection } = await ask(t, body);
    connection.answer({ status, body: 'no need' });
    t.equal(await outcomeOf(sent), `${status} no need`);
    t.same(sent.told, ['sent', status, 'end']);
    await origin.waitForConnections(0);
    t.equal(body.opened, 0);
    origin.handler = echo;
    t.equal(await outcomeOf(send(upstream)), '200 ');
  }
});

t.test('nor to one that has begun to answer', async (t) => {
  await settle();
  const idle = activeResources().filter((kind) => kind === 'Timeout');
  const body = new HeldBody(['body']);
  const { sent, connection } = await ask(t, body);
  connection.answerWithLength(4, { body: 'no' });
  await sent.firstData;
  const waiting = activeResources().filter((kind) => kind === 'Timeout');
  t.same(waiting, idle, 'nobody waits any more for it to ask');
  connection.inform(100);
  t.equal(await outcomeOf(sent), '200 noHT', 'what follows the head is the answer');
  t.equal(body.opened, 0);
});

t.test('a 100 that nobody asked for means nothing', async (t) => {
  const { upstream } = await start(t, (_, connection) => {
    connection.inform(100);
    connection.inform(102);
    connection.answer({ body: 'ok' });
  });
  const sent = send(upstream);
  await sent.over;
  t.same(sent.told, ['sent', 102, 200, 'end']);
});
