/** A worker that dies takes its tokens with it, and its successor comes with some of its own. */
import assert from 'node:assert/strict';
import t, { type Test } from 'tap';
import { eventually } from '../helpers/eventually.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { listWorkers, waitForWorkers } from '../helpers/worker-processes.ts';

const WORKERS = 3;
const LIMIT = 60;
/** Of each worker. */
const PART = LIMIT / WORKERS;

/** Presses the limit at all workers until more than `wanted` requests have passed; gives how many passed in the end. */
async function press(owner: Test, port: number, wanted: number): Promise<number> {
  const clients = await Promise.all(Array.from({ length: 2 * WORKERS }, () => connect(port, { owner })));
  let passed = 0;
  const round = async () => {
    for (const client of clients) client.send(formatRequest('GET', '/'));
    const answers = await Promise.all(clients.map((client) => client.readResponse()));
    passed += answers.filter(({ status }) => status === 200).length;
  };
  await eventually(async () => {
    await round();
    assert(passed > wanted, `${passed}, wanted ${wanted}`);
  }, 20_000);
  for (let more = 0; more < LIMIT; more += 1) await round();
  return passed;
}

t.test('the successor of a worker brings its equal part of a limit once more, and that is all', async (t) => {
  const origin = await startOrigin((_, connection) => connection.answer({ body: 'served' }), { owner: t });
  // Less than one request comes back during the test.
  const all = {
    match: { path: '/' },
    cluster: 'origin',
    rateLimits: [{ requests: LIMIT, perSec: 86_400 }],
  };
  const gateway = await startGateway(t, {
    workers: WORKERS,
    accessLog: 'off',
    config: { clusters: { origin: { destinations: { only: { url: origin.url } } } }, routes: { all } },
  });
  const before = await press(t, gateway.port, 0.9 * LIMIT);
  t.ok(before <= LIMIT, `${before} of ${LIMIT}`);
  const replaced = waitForWorkers(gateway, 1);
  const [victim = 0] = listWorkers(gateway).values();
  process.kill(victim, 'SIGKILL');
  await replaced;
  const after = await press(t, gateway.port, 0.8 * PART);
  t.ok(before + after <= LIMIT + PART, `${before} and ${after} of ${LIMIT}`);
});
