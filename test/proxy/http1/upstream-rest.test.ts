/** Origins that close a connection with their answer and do not say so, and those that break it off later. */
import t from 'tap';
import { startOrigin } from '../../helpers/scripted-origin.ts';
import { answerOk } from '../proxied-origin.ts';
import { createUpstream, HeldBody, send } from './upstream-client.ts';

t.test('what waits is not sent over a connection that ends with its answer', async (t) => {
  const origin = await startOrigin(
    (request, connection) => {
      void request.ended.then(() => {
        answerOk(request, connection);
        connection.close();
      });
    },
    { owner: t },
  );
  const upstream = createUpstream(t, origin.url, { maxConnections: 1 });
  const post = { method: 'POST', headers: ['content-length', '4'] };
  const sent = Array.from({ length: 20 }, () =>
    send(upstream, '/', { ...post, body: new HeldBody(['body']) }),
  );
  for (const one of sent) t.equal((await one.over).outcome, '200 ok');
  t.equal(origin.requests.length, sent.length);
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
