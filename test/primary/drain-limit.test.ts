/** A drain that meets what does not end, or another signal. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { type OriginHandler, startOrigin } from '../helpers/scripted-origin.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { listWorkers } from '../helpers/worker-processes.ts';

const isDraining = ({ msg }: { msg?: string }) => msg === 'gateway drains';

async function startPair(owner: TestOwner, handler: OriginHandler, drainTimeoutMs?: number) {
  const origin = await startOrigin(handler, { owner });
  const gateway = await startGateway(owner, {
    config: {
      clusters: { only: { destinations: { one: { url: origin.url } } } },
      routes: { all: { match: { path: '/{**rest}' }, cluster: 'only' } },
    },
    workers: 2,
    ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }),
  });
  return { origin, gateway };
}

t.test('what hangs is cut off at the limit, and the exit code is 0 all the same', async (t) => {
  const { origin, gateway } = await startPair(t, () => {}, 500);
  const client = await connect(gateway.port, { owner: t });
  client.send(formatRequest('GET', '/'));
  await origin.waitForRequests(1);
  const cutOff = gateway.waitForNextLog(({ msg }) => msg === 'connections cut off at the end of the drain');
  gateway.signal('SIGTERM');
  await client.waitForClose();
  t.match(await cutOff, { level: 'warn', connections: 1 });
  await t.rejects(client.readResponse(), 'there is no answer');
  t.same(await gateway.exited, { code: 0, signal: null });
});

for (const first of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`a second signal after ${first} ends the gateway at once`, async (t) => {
    const { origin, gateway } = await startPair(t, () => {}, 600_000);
    const client = await connect(gateway.port, { owner: t });
    client.send(formatRequest('GET', '/'));
    await origin.waitForRequests(1);
    const draining = gateway.waitForNextLog(isDraining);
    gateway.signal(first);
    await draining;
    t.equal(client.connectionEnd, null, 'the request is waited for');
    gateway.signal('SIGTERM');
    // Once no process holds the output: the workers are gone as well.
    t.same(await gateway.exited, { code: 1, signal: null });
    await client.waitForClose();
  });
}

t.test('a signal that reaches the workers as well, as from a terminal, cuts nothing off', async (t) => {
  let finish = (): void => {};
  const { origin, gateway } = await startPair(t, (_, connection) => {
    finish = () => connection.answer({ body: 'whole' });
  });
  const client = await connect(gateway.port, { owner: t });
  client.send(formatRequest('GET', '/'));
  await origin.waitForRequests(1);
  const draining = gateway.waitForNextLog(isDraining);
  for (const pid of listWorkers(gateway).values()) process.kill(pid, 'SIGINT');
  gateway.signal('SIGINT');
  await draining;
  finish();
  t.equal((await client.readResponse()).text, 'whole');
  t.same(await gateway.exited, { code: 0, signal: null });
  t.notOk(gateway.logs.some(({ msg }) => msg === 'worker died'));
});

t.test('a signal while a worker is coming up again ends the gateway as well', async (t) => {
  const { gateway } = await startPair(t, () => {});
  const died = gateway.waitForNextLog(({ msg }) => msg === 'worker died');
  const [pid = 0] = listWorkers(gateway).values();
  process.kill(pid, 'SIGKILL');
  await died;
  gateway.signal('SIGTERM');
  t.same(await gateway.exited, { code: 0, signal: null });
});
