/** Two instances on one Redis share the limits of their routes. */
import assert from 'node:assert/strict';
import t, { type Test } from 'tap';
import type { RateLimit } from '../../lib/core/config/model.ts';
import { eventually } from '../helpers/eventually.ts';
import { type Instance, routeTo, startFleet } from '../helpers/fleet.ts';
import { connect, formatRequest, type RawClient } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis-server.ts';

/** Nothing comes back during a test. */
const SLOW = { perSec: 86_400 };
const LIMIT = 120;
const RATE = { requests: 100, perSec: 1, burst: 20 };

const limited = (path: string, limit: RateLimit) => ({ ...routeTo(path), rateLimits: [limit] });

const redis = await startRedis(t);
/** Each test has a route, and so a limit, of its own. */
const fleet = await startFleet(t, {
  url: redis.url,
  routes: {
    both: limited('/both', { requests: LIMIT, ...SLOW }),
    single: limited('/single', { requests: LIMIT, ...SLOW }),
    steady: limited('/steady', RATE),
  },
});

/** Kept connections, so many to each of the instances. */
async function connectTo(owner: Test, instances: readonly Instance[], count: number): Promise<RawClient[]> {
  const ports = instances.flatMap(({ gateway }) => new Array<number>(count).fill(gateway.port));
  return Promise.all(ports.map((port) => connect(port, { owner })));
}

/** One request on each connection; gives how many of them pass. */
async function askOnce(clients: readonly RawClient[], path: string): Promise<number> {
  const answers = await Promise.all(
    clients.map(async (client) => {
      client.send(formatRequest('GET', path));
      return client.readResponse();
    }),
  );
  for (const { status } of answers) assert(status === 200 || status === 429, `${status}`);
  return answers.filter(({ status }) => status === 200).length;
}

/** Asks until so many have passed. @returns how many that were, after as many rounds again */
async function askUntil(clients: readonly RawClient[], path: string, wanted: number): Promise<number> {
  let passed = 0;
  await eventually(async () => {
    passed += await askOnce(clients, path);
    assert(passed >= wanted, `${passed} of ${wanted}`);
  }, 30_000);
  for (let more = 0; more < 100; more += 1) passed += await askOnce(clients, path);
  return passed;
}

t.test('clients of all instances together get the limit, and not much more', async (t) => {
  const clients = await connectTo(t, fleet.instances, 3);
  const passed = await askUntil(clients, '/both', 0.8 * LIMIT);
  t.ok(passed <= 1.5 * LIMIT, `${passed} of ${LIMIT}`);
});

t.test('a client of one instance gets the part of the others, too', async (t) => {
  const clients = await connectTo(t, [fleet.one], 1);
  const passed = await askUntil(clients, '/single', 0.8 * LIMIT);
  t.ok(passed <= 1.5 * LIMIT, `${passed} of ${LIMIT}`);
});

t.test('the rate of a limit is that of all instances together', async (t) => {
  const clients = await connectTo(t, fleet.instances, 2);
  const startMs = performance.now();
  let passed = 0;
  await eventually(async () => {
    passed += await askOnce(clients, '/steady');
    assert(passed >= 600, `${passed}`);
  }, 60_000);
  const fair = RATE.burst + (RATE.requests * (performance.now() - startMs)) / 1_000;
  t.ok(passed <= 1.5 * fair, `${passed} of ${fair}`);
});
