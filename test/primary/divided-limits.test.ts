/** What an instance may have under way, divided among workers of which it is no multiple. */
import assert from 'node:assert/strict';
import t from 'tap';
import { eventually } from '../helpers/eventually.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { connect, formatRequest, type RawClient } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { listWorkers, waitForWorkers } from '../helpers/worker-processes.ts';

const WORKERS = 2;
const LIMIT = 3;

t.test('all workers together take as many as the limit says, and their successors, too', async (t) => {
  const held: OriginConnection[] = [];
  const origin = await startOrigin((_, connection) => held.push(connection), { owner: t });
  const gateway = await startGateway(t, {
    workers: WORKERS,
    config: {
      clusters: { origin: { destinations: { only: { url: origin.url } } } },
      routes: { all: { match: { path: '/' }, cluster: 'origin', limits: { maxConcurrent: LIMIT } } },
    },
  });

  /** The worker that a new client is at, as the log says of a request that no route takes. */
  const workerOf = async (client: RawClient): Promise<unknown> => {
    client.send(formatRequest('GET', '/nowhere'));
    const requestId = (await client.readResponse()).header('x-request-id');
    const line = await gateway.waitForLog((line) => line.msg === 'request' && line.requestId === requestId);
    return line.worker;
  };

  /** Clients of all workers, more of each than may be let in: a worker that is busy is given fewer than another. */
  const connectToAll = async () => {
    const clients: RawClient[] = [];
    const counts = new Map<unknown, number>();
    while (counts.size < WORKERS || Math.min(...counts.values()) <= LIMIT) {
      const client = await connect(gateway.port, { owner: t });
      const worker = await workerOf(client);
      clients.push(client);
      counts.set(worker, (counts.get(worker) ?? 0) + 1);
    }
    return clients;
  };

  /** Many requests at once: as many are let in as the limit says, and the others are refused. */
  const flood = async () => {
    const clients = await connectToAll();
    let [served, refused] = [0, 0];
    const answers = clients.map(async (client) => {
      client.send(formatRequest('GET', '/'));
      const { status } = await client.readResponse();
      if (status === 200) served += 1;
      if (status === 503) refused += 1;
    });
    // Whoever is not refused at once is at the origin, which answers when all have come.
    await eventually(() => assert.equal(held.length + refused, clients.length));
    for (const connection of held.splice(0)) connection.answer({ body: 'served' });
    await Promise.all(answers);
    t.same({ served, refused }, { served: LIMIT, refused: clients.length - LIMIT });
  };

  await flood();
  for (const victim of [...listWorkers(gateway).values()]) {
    const replaced = waitForWorkers(gateway, 1);
    process.kill(victim, 'SIGKILL');
    await replaced;
    await flood();
  }
});
