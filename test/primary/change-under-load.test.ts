/** Configuration changes while requests pour in: none is lost, none goes astray. */
import { setInterval } from 'node:timers/promises';
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { type LoadAnswer, startLoad } from '../helpers/load.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { get } from '../helpers/worker-processes.ts';

const a = await startOrigin((_, connection) => connection.answer({ body: 'a' }), { owner: t });
const b = await startOrigin((_, connection) => connection.answer({ body: 'b' }), { owner: t });
const steady = await startOrigin((_, connection) => connection.answer({ body: 'steady' }), { owner: t });
const BOTH = { a, b };
type Name = keyof typeof BOTH;

/** Route `moving` leads to one origin or the other; `steady` never changes; the others come and go. */
function documentFor(name: Name, extraRoutes: number) {
  const extras = Array.from({ length: extraRoutes }, (_, index) => [
    `extra-${index}`,
    { match: { path: `/extra/${index}` }, cluster: 'moving' },
  ]);
  return {
    clusters: {
      moving: { destinations: { [name]: { url: BOTH[name].url } } },
      steady: { destinations: { only: { url: steady.url } } },
    },
    routes: {
      moving: { match: { path: '/moving' }, cluster: 'moving' },
      steady: { match: { path: '/steady' }, cluster: 'steady' },
      ...Object.fromEntries(extras),
    },
  };
}

const gateway = await startGateway(t, { config: documentFor('a', 0), workers: 2, accessLog: 'off' });

/** Asks until the answer is that one: how many of the saves before are still to come, nobody knows. */
async function waitForAnswer(path: string, body: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while ((await get(gateway.port, path)).text !== body) {
    if (performance.now() > deadline) throw new Error(`${path} is not answered with ${body}`);
  }
}

for (const keepAlive of [true, false]) {
  const how = keepAlive ? 'kept connections' : 'a connection a request';

  t.test(`a file that is saved ten times a second costs no request (${how})`, async (t) => {
    const wrong: LoadAnswer[] = [];
    const load = startLoad({
      owner: t,
      port: gateway.port,
      clients: 6,
      keepAlive,
      path: () => (Math.random() < 0.5 ? '/moving' : '/steady'),
      onAnswer: (answer) => {
        const expected = answer.path === '/steady' ? ['steady'] : ['a', 'b'];
        if (answer.status !== 200 || !expected.includes(answer.body)) wrong.push(answer);
      },
    });
    await load.waitForAnswers(100);
    let saves = 0;
    // The rhythm of the writer, not a wait for the gateway.
    for await (const _ of setInterval(100)) {
      saves += 1;
      await gateway.writeConfig(documentFor(saves % 2 === 0 ? 'a' : 'b', saves % 5));
      if (saves === 30) break;
    }
    await load.waitForAnswers(100);
    await load.stop();
    t.same(load.failures, []);
    t.same(wrong, []);
    t.ok(load.answered > 300, `${load.answered} requests were answered`);
    // The last save wins.
    await gateway.writeConfig(documentFor('b', saves));
    await waitForAnswer(`/extra/${saves - 1}`, 'b');
    // One worker has it, so the primary has; that all of them have it is in the log.
    const revision = (await gateway.metrics()).get('gateway_configuration_revision');
    await gateway.waitForLog((line) => line.msg === 'configuration applied' && line.revision === revision);
    for (let question = 0; question < 4; question += 1) {
      t.equal((await get(gateway.port, '/moving')).text, 'b');
    }
  });

  t.test(`no request sent after a change is logged as applied goes by the old one (${how})`, async (t) => {
    await gateway.applyConfig(documentFor('a', 7));
    /** Who may answer, from so many answers on. While a change is under way, both. */
    const allowed: { from: number; names: readonly string[] }[] = [{ from: 0, names: ['a'] }];
    const astray: string[] = [];
    const load = startLoad({
      owner: t,
      port: gateway.port,
      clients: 6,
      keepAlive,
      path: () => '/moving',
      onAnswer: ({ body, sentAfter }) => {
        const last = allowed.findLastIndex(({ from }) => from < sentAfter);
        const names = allowed.slice(Math.max(0, last)).flatMap(({ names }) => names);
        if (!names.includes(body)) astray.push(`${body} instead of ${names.join(' or ')}`);
      },
    });
    await load.waitForAnswers(20);
    for (let change = 1; change <= 12; change += 1) {
      const name: Name = change % 2 === 0 ? 'a' : 'b';
      allowed.push({ from: load.answered, names: ['a', 'b'] });
      await gateway.applyConfig(documentFor(name, change));
      allowed.push({ from: load.answered, names: [name] });
      await load.waitForAnswers(40);
    }
    await load.stop();
    t.same(load.failures, []);
    t.same(astray, []);
  });
}

t.test('connections to origins that a change does not touch live on', async (t) => {
  await gateway.applyConfig(documentFor('a', 1));
  // One client, one request at a time: a connection to the origin is always free for the next one.
  const load = startLoad({
    owner: t,
    port: gateway.port,
    clients: 1,
    keepAlive: true,
    path: () => '/steady',
  });
  await load.waitForAnswers(20);
  const before = steady.acceptedConnections;
  for (let change = 2; change <= 11; change += 1) {
    await gateway.applyConfig(documentFor(change % 2 === 0 ? 'b' : 'a', change));
    await load.waitForAnswers(5);
  }
  t.equal(steady.acceptedConnections, before, 'no new connection');
  t.same(load.failures, []);
  t.same([...load.statuses.keys()], [200]);
});

t.test('requests under way finish when their route and cluster are removed', async (t) => {
  await gateway.applyConfig(documentFor('a', 1));
  const arrived = a.requestArrived();
  const { handler } = a;
  let finish = (): void => {};
  a.handler = (_, connection) => {
    connection.beginChunked();
    connection.writeChunk('first ');
    finish = () => {
      connection.writeChunk('last');
      connection.endChunked();
    };
  };
  const answer = get(gateway.port, '/moving');
  await arrived;
  a.handler = handler;
  await gateway.applyConfig({
    clusters: { steady: { destinations: { only: { url: steady.url } } } },
    routes: { steady: { match: { path: '/steady' }, cluster: 'steady' } },
  });
  t.equal((await get(gateway.port, '/moving')).status, 404);
  finish();
  const response = await answer;
  t.same([response.status, response.text, response.ended], [200, 'first last', 'complete']);
  await a.waitForConnections(0);
});
