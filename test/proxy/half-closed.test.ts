/** Clients that end their side of the connection while their answer is under way. */
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { someWorker } from '../helpers/worker-processes.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

const CLIENTS = 10;
const proxy = await startScriptedClusters(t, { ends: {} });

t.test(
  'who ends it in the moment in which the origin breaks the answer off leaves nothing behind',
  async (t) => {
    const connections: OriginConnection[] = [];
    proxy.origin('ends').handler = (_, connection) => {
      connection.answerWithLength(100_000, { body: 'part' });
      connections.push(connection);
    };
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => proxy.connect(t)));
    for (const client of clients) {
      client.send(formatRequest('GET', '/ends/'));
      await client.readHead();
      await client.readBodyUntil('part');
    }
    // Both are there when the worker reads again.
    const workerPid = someWorker(proxy.gateway);
    process.kill(workerPid, 'SIGSTOP');
    try {
      for (const client of clients) client.end();
      for (const connection of connections) connection.close();
    } finally {
      process.kill(workerPid, 'SIGCONT');
    }
    await proxy.waitUntilIdle('ends');
    for (const client of clients) t.match(await client.waitForClose(), /^(closed|reset)$/);
  },
);
