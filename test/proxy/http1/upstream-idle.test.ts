/** Connections between two requests: how long they are kept, and what ends them before. */
import t, { type Test } from 'tap';
import type { OriginConnection } from '../../helpers/origin-connection.ts';
import { type OriginHandler, type ScriptedOrigin, startOrigin } from '../../helpers/scripted-origin.ts';
import { answerOk } from '../proxied-origin.ts';
import { createUpstream, outcomeOf, send, settle, type UpstreamSettings } from './upstream-client.ts';

const OK = 'Content-Length: 2\r\n\r\nok';

async function start(t: Test, handler: OriginHandler, settings: UpstreamSettings = {}) {
  const origin = await startOrigin(handler, { owner: t });
  return { origin, upstream: createUpstream(t, origin.url, { maxConnections: 1, ...settings }) };
}

const connectionNumbers = ({ requests }: ScriptedOrigin): number[] =>
  requests.map(({ connectionNumber }) => connectionNumber);

/** Writes the same on every connection. */
const writing =
  (text: string): OriginHandler =>
  (_, connection) =>
    connection.write(text);

/** What `performance.now` says of the time until the test is over: so much later than it is. */
function shiftTime(t: Test, byMs: number): void {
  const { now } = performance;
  t.teardown(() => {
    performance.now = now;
  });
  performance.now = () => now.call(performance) + byMs;
}

t.test('an idle connection is closed after a while', async (t) => {
  const { origin, upstream } = await start(t, answerOk, { idleMs: 50 });
  await send(upstream).over;
  await origin.waitForConnections(0);
  t.equal(await outcomeOf(send(upstream)), '200 ok');
  await origin.waitForConnections(0);
  t.equal(origin.acceptedConnections, 2);
});

t.test('it is closed earlier where the origin says so', async (t) => {
  const { origin, upstream } = await start(t, writing(`HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\n${OK}`));
  await send(upstream).over;
  await origin.waitForConnections(0);
});

t.test('one that the origin keeps for a second at most is not kept at all', async (t) => {
  for (const seconds of [0, 1]) {
    const { origin, upstream } = await start(
      t,
      writing(`HTTP/1.1 200 OK\r\nKeep-Alive: timeout=${seconds}\r\n${OK}`),
    );
    for (let count = 0; count < 3; count += 1) await send(upstream).over;
    t.same(connectionNumbers(origin), [1, 2, 3]);
  }
});

t.test('what the origin says counts for the connection from each answer anew', async (t) => {
  const answers = ['Keep-Alive: timeout=100, max=7\r\n', 'Keep-Alive: timeout=1\r\n', ''];
  const { origin, upstream } = await start(t, (_, connection) =>
    connection.write(`HTTP/1.1 200 OK\r\n${answers.shift() ?? ''}${OK}`),
  );
  for (let count = 0; count < 4; count += 1) await send(upstream).over;
  t.same(connectionNumbers(origin), [1, 1, 2, 2]);
});

t.test('it is never kept for longer than the settings say, whatever the origin says', async (t) => {
  const { origin, upstream } = await start(
    t,
    writing(`HTTP/1.1 200 OK\r\nKeep-Alive: timeout=600\r\n${OK}`),
    {
      idleMs: 50,
    },
  );
  await send(upstream).over;
  await origin.waitForConnections(0);
});

t.test('one that is too old is not used though nobody has closed it yet', async (t) => {
  const { origin, upstream } = await start(t, answerOk);
  await send(upstream).over;
  shiftTime(t, 59_000);
  await send(upstream).over;
  shiftTime(t, 61_000);
  t.equal(await outcomeOf(send(upstream)), '200 ok');
  t.same(connectionNumbers(origin), [1, 1, 2]);
});

for (const [what, act] of [
  ['closes', (connection: OriginConnection) => connection.close()],
  ['resets', (connection: OriginConnection) => connection.reset()],
  ['says something on', (connection: OriginConnection) => connection.write('HTTP/1.1 408 Too Slow\r\n\r\n')],
] as const) {
  t.test(`the origin ${what} an idle connection: the next request takes another`, async (t) => {
    const connections: OriginConnection[] = [];
    const { origin, upstream } = await start(t, (request, connection) => {
      connections.push(connection);
      answerOk(request, connection);
    });
    await send(upstream).over;
    for (const connection of connections.splice(0)) act(connection);
    await settle();
    t.equal(await outcomeOf(send(upstream, '/next', { method: 'POST' })), '200 ok');
    t.same(connectionNumbers(origin), [1, 2]);
  });
}

for (const [what, text] of [
  ['bytes behind an answer', `HTTP/1.1 200 OK\r\n${OK}surplus`],
  ['another answer behind it', `HTTP/1.1 200 OK\r\n${OK}HTTP/1.1 200 OK\r\n${OK}`],
  ['an empty line behind it', `HTTP/1.1 200 OK\r\n${OK}\r\n`],
  ['a body behind 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok'],
  ['`Connection: close`', `HTTP/1.1 200 OK\r\nConnection: close\r\n${OK}`],
  ['`Connection: close` among others', `HTTP/1.1 200 OK\r\nConnection: x-a, Close\r\n${OK}`],
  ['HTTP/1.0', `HTTP/1.0 200 OK\r\n${OK}`],
] as const) {
  t.test(`${what}: the answer stands, and the connection is not used again`, async (t) => {
    const { origin, upstream } = await start(t, writing(text));
    for (let count = 0; count < 2; count += 1) t.match(await outcomeOf(send(upstream)), /^(200 ok|204 )$/);
    await origin.waitForConnections(0);
    t.same(connectionNumbers(origin), [1, 2]);
  });
}

t.test('an origin of HTTP/1.0 that offers it keeps its connection', async (t) => {
  const { origin, upstream } = await start(t, writing(`HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${OK}`));
  for (let count = 0; count < 3; count += 1) t.equal(await outcomeOf(send(upstream)), '200 ok');
  t.same(connectionNumbers(origin), [1, 1, 1]);
});

t.test('a body that ends with its connection is whole, and reset in its midst it is not', async (t) => {
  for (const version of ['1.0', '1.1']) {
    for (const end of ['close', 'reset'] as const) {
      const { origin, upstream } = await start(t, (_, connection) => {
        connection.write(`HTTP/${version} 200 OK\r\n\r\nuntil the end`);
        connection[end]();
      });
      const waiting = [send(upstream), send(upstream)];
      const outcome = end === 'close' ? '200 until the end' : 'RESET';
      t.same(await Promise.all(waiting.map(outcomeOf)), [outcome, outcome], `${version}: ${end}`);
      t.same(connectionNumbers(origin), [1, 2]);
    }
  }
});
