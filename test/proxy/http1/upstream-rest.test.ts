/** Origins that close a connection with their answer and do not say so, and those that break it off later. */
import t from 'tap';
import type { Upstream } from '../../../lib/proxy/upstream.ts';
import { type OriginHandler, startOrigin } from '../../helpers/scripted-origin.ts';
import { answerOk } from '../proxied-origin.ts';
import { createUpstream, HeldBody, type SentRequest, send } from './upstream-client.ts';

const POST = { method: 'POST', headers: ['content-length', '4'] };

/** Answers, and ends the connection with it. */
const answerOnce: OriginHandler = (request, connection) => {
  void request.ended.then(() => {
    answerOk(request, connection);
    connection.close();
  });
};

const post = (upstream: Upstream) => send(upstream, '/', { ...POST, body: new HeldBody(['body']) });

/** Does something right behind the end of an answer, before anything else is read. */
function behindEnd(sent: SentRequest, act: () => void): void {
  const { onEnd } = sent;
  sent.onEnd = (trailers) => {
    onEnd.call(sent, trailers);
    act();
  };
}

/** Longer than a connection rests: nothing is read meanwhile. */
function standStill(): void {
  const endMs = performance.now() + 5;
  while (performance.now() < endMs);
}

for (const [what, onEnd] of [
  ['at all times', () => {}],
  ['where the process stands still behind each answer', standStill],
] as const) {
  t.test(`what waits is not sent over a connection that ends with its answer: ${what}`, async (t) => {
    const origin = await startOrigin(answerOnce, { owner: t });
    const upstream = createUpstream(t, origin.url, { maxConnections: 1 });
    const sent = Array.from({ length: 20 }, () => post(upstream));
    for (const one of sent) behindEnd(one, onEnd);
    for (const { over } of sent) t.equal((await over).outcome, '200 ok');
    t.equal(origin.requests.length, sent.length);
  });
}

t.test('nor is what comes when the process has stood still behind the answer', async (t) => {
  const origin = await startOrigin(answerOnce, { owner: t });
  const upstream = createUpstream(t, origin.url);
  for (let count = 0; count < 10; count += 1) {
    const { promise: next, resolve: sendNext } = Promise.withResolvers<SentRequest>();
    const first = post(upstream);
    behindEnd(first, () => {
      standStill();
      sendNext(post(upstream));
    });
    t.same([(await first.over).outcome, (await (await next).over).outcome], ['200 ok', '200 ok']);
  }
});

t.test('a kept connection that breaks late is a loss like any other', async (t) => {
  const origin = await startOrigin(answerOk, { owner: t });
  const upstream = createUpstream(t, origin.url);
  await send(upstream).over;
  const arrived = Promise.withResolvers<() => void>();
  origin.handler = (_, connection) => arrived.resolve(() => connection.reset());
  const late = send(upstream);
  const reset = await arrived.promise;
  const { now } = performance;
  // The engine asks when the request went out and when its connection broke.
  performance.now = () => now.call(performance) + 60_000;
  t.teardown(() => {
    performance.now = now;
  });
  reset();
  const { outcome, failure } = await late.over;
  t.same([outcome, failure?.isStale], ['RESET', false]);
});

t.test('what cannot be sent is our fault, and goes nowhere else', async (t) => {
  const origin = await startOrigin(answerOk, { owner: t });
  const upstream = createUpstream(t, origin.url);
  const { outcome, failure } = await send(upstream, '/', { headers: ['x-bad', 'a\r\nx-evil: b'] }).over;
  t.same([outcome, failure?.condition, failure?.isStale], ['PROTOCOL', null, false]);
  await send(upstream).over;
  const body = new HeldBody(['body']);
  const trailers = () => ['x-bad', 'a\nb'];
  const trailing = await send(upstream, '/', { method: 'PUT', body, trailers }).over;
  t.same([trailing.outcome, trailing.failure?.isStale], ['PROTOCOL', false]);
});
