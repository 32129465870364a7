/** The end of an upstream: in peace, and at once. */
import t, { type Test } from 'tap';
import type { OriginConnection } from '../../helpers/origin-connection.ts';
import { startOrigin } from '../../helpers/scripted-origin.ts';
import { createUpstream, outcomeOf, send, settle } from './upstream-client.ts';

/** An upstream with a free connection, one whose request is under way, and, with `maxConnections` 2, a request that waits. */
async function start(t: Test, maxConnections = 2) {
  const held: OriginConnection[] = [];
  const origin = await startOrigin(
    ({ target }, connection) => {
      if (target === '/held') held.push(connection);
      else connection.answer({ body: target });
    },
    { owner: t },
  );
  const upstream = createUpstream(t, origin.url, { maxConnections });
  const [running, idle] = [send(upstream, '/held'), send(upstream, '/idle')];
  await idle.over;
  await origin.waitForRequests(2);
  const release = () => {
    for (const connection of held.splice(0)) connection.answer({ body: 'held' });
  };
  return { origin, upstream, running, release };
}

t.test('close: what is under way is finished, then its connection is closed', async (t) => {
  const { origin, upstream, running, release } = await start(t);
  await upstream.close();
  await origin.waitForConnections(1);
  t.same(running.told, ['sent']);
  release();
  t.equal(await outcomeOf(running), '200 held');
  await origin.waitForConnections(0);
  await settle();
});

t.test('close: what waits is served first', async (t) => {
  const { origin, upstream, running, release } = await start(t);
  const second = send(upstream, '/held');
  await origin.waitForRequests(3);
  const waiting = ['/1', '/2', '/3'].map((target) => send(upstream, target));
  await upstream.close();
  release();
  t.same(await Promise.all([running, second].map(outcomeOf)), ['200 held', '200 held']);
  t.same(await Promise.all(waiting.map(outcomeOf)), ['200 /1', '200 /2', '200 /3']);
  await origin.waitForConnections(0);
  t.equal(origin.acceptedConnections, 2);
  await settle();
});

t.test('close: a request that found its way before is still served, and leaves nothing', async (t) => {
  const { origin, upstream, release } = await start(t);
  await upstream.close();
  t.equal(await outcomeOf(send(upstream, '/late')), '200 /late');
  release();
  await origin.waitForConnections(0);
  await settle();
});

t.test(
  'close: twice is as good as once, and where nothing was ever sent there is nothing to do',
  async (t) => {
    const upstream = createUpstream(t, 'http://127.0.0.1:9');
    await upstream.close();
    await upstream.close();
    await upstream.destroy();
    await upstream.destroy();
    t.equal(await outcomeOf(send(upstream)), 'CONNECT');
  },
);

t.test('destroy: what is under way and what waits fails, and so does all that follows', async (t) => {
  const { origin, upstream, running } = await start(t);
  const second = send(upstream, '/held');
  await origin.waitForRequests(3);
  const waiting = [send(upstream, '/1'), send(upstream, '/2')];
  await upstream.destroy();
  t.same(await Promise.all([running, second].map(outcomeOf)), ['RESET', 'RESET']);
  t.same(await Promise.all(waiting.map(outcomeOf)), ['CONNECT', 'CONNECT']);
  const late = send(upstream, '/3');
  t.same(late.told, [], 'nothing is told before the caller has its exchange');
  t.equal(await outcomeOf(late), 'CONNECT');
  await origin.waitForConnections(0);
  t.equal(origin.requests.length, 3);
  await settle();
});

t.test('destroy: a connection that is being made is not finished', async (t) => {
  const origin = await startOrigin((_, connection) => connection.answer(), { owner: t });
  const upstream = createUpstream(t, origin.url);
  const sent = send(upstream);
  await upstream.destroy();
  t.equal(await outcomeOf(sent), 'CONNECT');
  await settle();
  t.equal(origin.requests.length, 0);
});

t.test('destroy: who gives up the others as the first one fails breaks nothing', async (t) => {
  const { origin, upstream } = await start(t);
  const sent = Array.from({ length: 6 }, () => send(upstream, '/held'));
  await origin.waitForRequests(3);
  const abortAll = () => {
    for (const { exchange } of sent) exchange.abort();
  };
  for (const one of sent) void one.over.then(abortAll);
  const told = sent.map((one) => one.onFailure.bind(one));
  for (const [index, one] of sent.entries()) {
    one.onFailure = (failure) => {
      abortAll();
      told[index]?.(failure);
    };
  }
  await upstream.destroy();
  t.equal(sent.filter(({ failure }) => failure !== null).length, 1);
  await origin.waitForConnections(0);
  await settle();
});
