/** An instance that starts again while Redis is away does not take the limits of the fleet for its own. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { eventually } from '../helpers/eventually.ts';
import { type Instance, routeTo, startFleet, startInstance } from '../helpers/fleet.ts';
import { waitUntilSaved } from '../helpers/last-good.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis-server.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

const LIMIT = 120;
/** Of each of the two instances. */
const PART = LIMIT / 2;

/** Presses an instance until most of its part has passed. @returns how many passed, after many more requests */
async function press(owner: TestOwner, { gateway }: Instance): Promise<number> {
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(gateway.port, { owner })));
  let passed = 0;
  const round = async () => {
    for (const client of clients) client.send(formatRequest('GET', '/limited'));
    const answers = await Promise.all(clients.map((client) => client.readResponse()));
    passed += answers.filter(({ status }) => status === 200).length;
  };
  await eventually(async () => {
    await round();
    assert(passed >= 0.8 * PART, `${passed} of ${PART}`);
  }, 20_000);
  for (let more = 0; more < 100; more += 1) await round();
  return passed;
}

t.test('instances that start again while Redis is away keep to their part of the limits', async (t) => {
  const redis = await startRedis(t);
  // Nothing comes back during the test.
  const limited = { ...routeTo('/limited'), rateLimits: [{ requests: LIMIT, perSec: 86_400 }] };
  const fleet = await startFleet(t, { url: redis.url, routes: { limited } });
  const { revision } = await fleet.agree();
  for (const { gateway } of fleet.instances) {
    await waitUntilSaved(gateway, revision);
    const file = join(gateway.stateDirectory, 'instances.json');
    await eventually(async () => assert.match(await readFile(file, 'utf8'), /"instances":2/));
  }
  await redis.kill();
  let passed = 0;
  for (const { name, gateway } of fleet.instances) {
    const { stateDirectory } = gateway;
    gateway.signal('SIGKILL');
    await gateway.exited;
    const again = await startInstance(t, name, redis.url, { stateDirectory });
    passed += await press(t, again);
  }
  t.ok(passed <= LIMIT, `${passed} of ${LIMIT}`);
});
