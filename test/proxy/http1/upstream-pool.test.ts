/** Which connection a request goes over, and how long it waits for one. */
import t, { type Test } from 'tap';
import type { OriginConnection } from '../../helpers/origin-connection.ts';
import { type ScriptedOrigin, startOrigin } from '../../helpers/scripted-origin.ts';
import { createUpstream, outcomeOf, send } from './upstream-client.ts';

/** An origin that answers only when it is told to. */
interface HeldOrigin {
  readonly origin: ScriptedOrigin;
  /** The connections that wait for an answer, by the target of their request. */
  readonly held: Map<string, OriginConnection>;
  answer(target: string): void;
}

async function startHeldOrigin(t: Test): Promise<HeldOrigin> {
  const held = new Map<string, OriginConnection>();
  const origin = await startOrigin(({ target }, connection) => held.set(target, connection), { owner: t });
  const answer = (target: string): void => {
    const connection = held.get(target);
    if (connection === undefined) throw new Error(`no request for ${target}`);
    held.delete(target);
    connection.answer({ body: target });
  };
  return { origin, held, answer };
}

t.test('the connection that was used last is taken first', async (t) => {
  const { origin, answer } = await startHeldOrigin(t);
  const upstream = createUpstream(t, origin.url);
  const targets = ['/1', '/2', '/3'];
  const sent = [];
  for (const [index, target] of targets.entries()) {
    sent.push(send(upstream, target));
    await origin.waitForRequests(index + 1);
  }
  for (const [index, target] of ['/3', '/1', '/2'].entries()) {
    answer(target);
    t.equal(await outcomeOf(sent[Number(target.slice(1)) - 1]!), `200 ${target}`, `answer ${index}`);
  }
  for (const target of ['/4', '/5', '/6', '/7']) {
    send(upstream, target);
    await origin.waitForRequests(Number(target.slice(1)));
  }
  const numbers = origin.requests.map(({ connectionNumber }) => connectionNumber);
  t.same(numbers, [1, 2, 3, 2, 1, 3, 4], 'a new one only when none is free');
});

t.test('one request after the other takes one connection', async (t) => {
  const origin = await startOrigin(({ target }, connection) => connection.answer({ body: target }), {
    owner: t,
  });
  const upstream = createUpstream(t, origin.url);
  for (let count = 0; count < 50; count += 1)
    t.equal(await outcomeOf(send(upstream, `/${count}`)), `200 /${count}`);
  t.equal(origin.acceptedConnections, 1);
  t.same(origin.malformed, []);
});

t.test('there are never more connections than allowed, and those who wait are served in order', async (t) => {
  const { origin, answer } = await startHeldOrigin(t);
  const upstream = createUpstream(t, origin.url, { maxConnections: 2 });
  const sent = Array.from({ length: 9 }, (_, index) => send(upstream, `/${index}`));
  for (let count = 0; count < sent.length; count += 1) {
    await origin.waitForRequests(Math.min(count + 2, sent.length));
    // The two that are under way may have arrived in either order.
    answer(`/${count}`);
    t.equal(await outcomeOf(sent[count]!), `200 /${count}`);
  }
  t.same(
    origin.requests.slice(2).map(({ target }) => target),
    ['/2', '/3', '/4', '/5', '/6', '/7', '/8'],
  );
  t.equal(origin.acceptedConnections, 2);
});

t.test('it is full when one more request would have to wait and may not', async (t) => {
  const { origin, answer } = await startHeldOrigin(t);
  const upstream = createUpstream(t, origin.url, { maxConnections: 2, maxQueued: 1 });
  const full = [upstream.full];
  const sent = ['/1', '/2', '/3'].map((target) => {
    const one = send(upstream, target);
    full.push(upstream.full);
    return one;
  });
  t.same(full, [false, false, false, true]);
  await origin.waitForRequests(2);
  answer('/1');
  await sent[0]?.over;
  t.equal(upstream.full, false, 'the one that waited runs');
  await origin.waitForRequests(3);
  for (const target of ['/2', '/3']) answer(target);
  await Promise.all(sent.map(({ over }) => over));
  t.equal(upstream.full, false);
});

t.test(
  'without a queue it is full as soon as all connections are taken, but not when one is free',
  async (t) => {
    const { origin, answer } = await startHeldOrigin(t);
    const upstream = createUpstream(t, origin.url, { maxConnections: 1, maxQueued: 0 });
    const first = send(upstream, '/1');
    t.equal(upstream.full, true);
    await origin.waitForRequests(1);
    answer('/1');
    await first.over;
    t.equal(upstream.full, false);
  },
);

t.test('a request that asks for it gets a connection that carried nothing before', async (t) => {
  const origin = await startOrigin(({ target }, connection) => connection.answer({ body: target }), {
    owner: t,
  });
  const upstream = createUpstream(t, origin.url);
  for (const freshConnection of [false, true, true, false]) {
    await send(upstream, '/', { freshConnection }).over;
  }
  t.same(
    origin.requests.map(({ connectionNumber }) => connectionNumber),
    [1, 2, 3, 3],
  );
});

t.test('where there may be no more connections, the one unused for longest makes room for it', async (t) => {
  const { origin, answer } = await startHeldOrigin(t);
  const upstream = createUpstream(t, origin.url, { maxConnections: 2 });
  const sent = ['/1', '/2'].map((target) => send(upstream, target));
  await origin.waitForRequests(2);
  const kept = origin.requests.find(({ target }) => target === '/2')?.connectionNumber;
  for (const [index, target] of ['/1', '/2'].entries()) {
    answer(target);
    await sent[index]?.over;
  }
  const fresh = send(upstream, '/fresh', { freshConnection: true });
  await origin.waitForRequests(3);
  await origin.waitForConnections(2);
  send(upstream, '/3');
  await origin.waitForRequests(4);
  t.same(
    origin.requests.slice(2).map(({ target, connectionNumber }) => [target, connectionNumber]),
    [
      ['/fresh', 3],
      ['/3', kept],
    ],
  );
  answer('/fresh');
  t.equal(await outcomeOf(fresh), '200 /fresh');
});

t.test('it gets none that was used either where it had to wait', async (t) => {
  const { origin, answer } = await startHeldOrigin(t);
  const upstream = createUpstream(t, origin.url, { maxConnections: 1 });
  send(upstream, '/1');
  const fresh = send(upstream, '/fresh', { freshConnection: true });
  const last = send(upstream, '/last');
  await origin.waitForRequests(1);
  answer('/1');
  await origin.waitForRequests(2);
  answer('/fresh');
  t.equal(await outcomeOf(fresh), '200 /fresh');
  await origin.waitForRequests(3);
  answer('/last');
  t.equal(await outcomeOf(last), '200 /last');
  t.same(
    origin.requests.map(({ target, connectionNumber }) => [target, connectionNumber]),
    [
      ['/1', 1],
      ['/fresh', 2],
      ['/last', 2],
    ],
  );
});
