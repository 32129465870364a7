/** A worker whose event loop lags answers new requests with 503, and goes on as before when it has caught up. */
import t, { type Test } from 'tap';
import { eventually } from '../../helpers/eventually.ts';
import { formatRequest } from '../../helpers/raw-client.ts';
import { someWorker } from '../../helpers/worker-processes.ts';
import { answerOk, outcome, type ProxiedOrigin, startProxiedOrigin } from '../proxied-origin.ts';
import { formatUpgrade } from '../websocket-peers.ts';

/** Short of the silence for which a worker is replaced, and long enough to be seen as a lag for a second. */
const PAUSE_MS = 3_000;
/** Beyond what a busy machine makes any worker lag: it must not be overloaded before, and has to recover. */
const MOST_LAG_MS = 100;
const OVERLOADED = [503, 'GW_ERR_OVERLOADED'];

/** Stops the worker for a while, as a long computation would, and lets it go on. */
async function stallWorker(t: Test, { gateway }: ProxiedOrigin): Promise<void> {
  const workerPid = someWorker(gateway);
  process.kill(workerPid, 'SIGSTOP');
  t.teardown(() => process.kill(workerPid, 'SIGCONT'));
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  process.kill(workerPid, 'SIGCONT');
}

t.test('new requests get 503 while it lags, those under way are finished', async (t) => {
  const proxied = await startProxiedOrigin(t, { flags: ['--max-event-loop-lag-ms', String(MOST_LAG_MS)] });
  const { gateway, origin } = proxied;
  const arrived = Promise.withResolvers<() => void>();
  origin.handler = (_, connection) => {
    connection.beginChunked();
    connection.writeChunk('first ');
    arrived.resolve(() => {
      connection.writeChunk('second');
      connection.endChunked();
    });
  };
  const underWay = await proxied.connect(t);
  underWay.send(formatRequest('GET', '/under-way'));
  const finish = await arrived.promise;
  await underWay.readHead();
  await underWay.readBodyUntil('first');
  origin.handler = answerOk;

  const [client, socket] = [await proxied.connect(t), await proxied.connect(t)];
  const overloaded = gateway.waitForNextLog(({ msg }) => msg?.startsWith('overloaded') === true);
  await stallWorker(t, proxied);
  const line = await overloaded;
  t.ok(Number(line.eventLoopLagMs) >= MOST_LAG_MS);
  client.send(formatRequest('GET', '/'));
  socket.send(formatUpgrade('/'));
  const refused = [await client.readResponse(), await socket.readResponse()];
  t.same(refused.map(outcome), [OVERLOADED, OVERLOADED], 'requests and upgrades alike');
  t.same(
    refused.map((response) => response.header('retry-after')),
    ['1', '1'],
  );
  finish();
  t.same([(await underWay.readResponse()).text, origin.requests.length], ['first second', 1]);

  await gateway.waitForLog(({ msg }) => msg === 'not overloaded any more');
  await eventually(async () => {
    client.send(formatRequest('GET', '/'));
    const { status } = await client.readResponse();
    if (status !== 200) throw new Error(`still ${status}`);
  });
  t.equal(client.connectionEnd, null, 'on the connection of before');
});

t.test('a limit of nothing sheds nothing', async (t) => {
  const proxied = await startProxiedOrigin(t, { flags: ['--max-event-loop-lag-ms', '0'] });
  await stallWorker(t, proxied);
  for (let count = 0; count < 20; count += 1)
    t.equal((await proxied.request(formatRequest('GET', '/'))).status, 200);
});
