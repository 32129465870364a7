/** What an instance may have under way, divided among workers of which it is no multiple. */
import assert from 'node:assert/strict';
import t from 'tap';
import { eventually } from '../helpers/eventually.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { listWorkers, waitForWorkers } from '../helpers/worker-processes.ts';

const WORKERS = 2;
const LIMIT = 3;
const CLIENTS = 4 * LIMIT;

t.test('all workers together take as many as the limit says, and their successors, too', async (t) => {
  const held: OriginConnection[] = [];
  const origin = await startOrigin((_, connection) => held.push(connection), { owner: t });
  const gateway = await startGateway(t, {
    workers: WORKERS,
    accessLog: 'off',
    config: {
      clusters: { origin: { destinations: { only: { url: origin.url } } } },
      routes: { all: { match: { path: '/' }, cluster: 'origin', limits: { maxConcurrent: LIMIT } } },
    },
  });
  /** Many requests at once; gives how many are let in and how many are refused. */
  const flood = async () => {
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => connect(gateway.port, { owner: t })),
    );
    let [served, refused] = [0, 0];
    const answers = clients.map(async (client) => {
      client.send(formatRequest('GET', '/'));
      const { status } = await client.readResponse();
      if (status === 200) served += 1;
      if (status === 503) refused += 1;
    });
    // Whoever is not refused at once is at the origin, which answers when all have come.
    await eventually(() => assert.equal(held.length + refused, CLIENTS));
    for (const connection of held.splice(0)) connection.answer({ body: 'served' });
    await Promise.all(answers);
    return { served, refused };
  };
  t.same(await flood(), { served: LIMIT, refused: CLIENTS - LIMIT });
  for (const victim of [...listWorkers(gateway).values()]) {
    const replaced = waitForWorkers(gateway, 1);
    process.kill(victim, 'SIGKILL');
    await replaced;
    t.same(await flood(), { served: LIMIT, refused: CLIENTS - LIMIT });
  }
});
