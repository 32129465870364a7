/** A worker that leaves, and the clients that keep their connections to it. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';

/** A worker leaves when the one that takes its place is up, which takes a while on a busy machine. */
const REPLACED_LIMIT_MS = 30_000;

/** A gateway whose one worker holds an answer that was begun, and a connection that is idle. */
async function startWithAnswerUnderWay() {
  const held: OriginConnection[] = [];
  const origin = await startOrigin(
    (request, connection) => {
      if (request.target !== '/held') connection.answer({ body: 'old' });
      else {
        connection.beginChunked();
        connection.writeChunk('begun ');
        held.push(connection);
      }
    },
    { owner: t },
  );
  const other = await startOrigin((_, connection) => connection.answer({ body: 'new' }), { owner: t });
  const configFor = (url: string) => ({
    clusters: {
      only: { destinations: { one: { url } } },
      held: { destinations: { one: { url: origin.url } } },
    },
    routes: { all: { match: {}, cluster: 'only' }, held: { match: { path: '/held' }, cluster: 'held' } },
  });
  const gateway = await startGateway(t, { config: configFor(origin.url), workers: 1 });
  const idle = await connect(gateway.port, { owner: t });
  idle.send(formatRequest('GET', '/'));
  await idle.readResponse();
  const client = await connect(gateway.port, { owner: t });
  client.send(formatRequest('GET', '/held'));
  await client.waitForBytes('begun');
  const finish = () => held[0]?.endChunked();
  return { gateway, configFor, other, idle, client, finish };
}

t.test('an answer that promised to keep the connection gets its next request answered', async (t) => {
  const { gateway, idle, client, finish } = await startWithAnswerUnderWay();
  gateway.signal('SIGHUP');
  // Once idle connections are closed the grace is over, for those that were idle.
  await idle.waitForClose(REPLACED_LIMIT_MS);
  finish();
  const first = await client.readResponse();
  t.equal(first.header('connection'), 'keep-alive');
  client.send(formatRequest('GET', '/next'));
  const second = await client.readResponse();
  t.same([second.status, second.text], [200, 'old']);
  t.equal(second.header('connection'), 'close', 'and that one is the last');
});

t.test('a worker that drains goes by the newest configuration', async (t) => {
  const { gateway, configFor, other, idle, client, finish } = await startWithAnswerUnderWay();
  gateway.signal('SIGHUP');
  await idle.waitForClose(REPLACED_LIMIT_MS);
  await gateway.applyConfig(configFor(other.url));
  finish();
  await client.readResponse();
  client.send(formatRequest('GET', '/next'));
  const { text } = await client.readResponse();
  t.equal(text, 'new');
});
