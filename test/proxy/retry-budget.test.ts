/** Retries are bounded: an origin that fails must not get a multiple of its load. */
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

const REQUESTS = 60;
/** A share of the active requests, and three. */
const MOST_RETRIES = 0.2 * REQUESTS + 3;

const proxy = await startScriptedClusters(t, { budget: {}, statuses: { retry: { on: [503], attempts: 5 } } });

/** Holds `REQUESTS` requests, fails all of them at once, and holds those that come again. */
async function failAllAtOnce(cluster: string, fail: (connection: OriginConnection) => void) {
  const origin = proxy.origin(cluster);
  const held: OriginConnection[] = [];
  origin.handler = (_, connection) => held.push(connection);
  const responses = Array.from({ length: REQUESTS }, () =>
    proxy.request(formatRequest('GET', `/${cluster}/`)),
  );
  await origin.waitForRequests(REQUESTS);
  for (const connection of held.splice(0)) fail(connection);
  // Those that get no second try are answered now; those that do are held until they are let go.
  const settled = { count: 0 };
  for (const response of responses) void response.then(() => settled.count++);
  await proxy.waitUntil(
    async () =>
      (await proxy.count('requests_in_flight', cluster)) === held.length &&
      settled.count + held.length === REQUESTS,
    'some request is neither answered nor tried again',
  );
  const retries = held.length;
  for (const connection of held) connection.answer({ body: 'late' });
  return { retries, answers: await Promise.all(responses) };
}

t.test('many failures at once are followed by few retries', async (t) => {
  const { retries, answers } = await failAllAtOnce('budget', (connection) => connection.reset());
  t.ok(retries >= 3, `${retries} retries: a few are always allowed`);
  t.ok(retries <= MOST_RETRIES, `${retries} retries of at most ${MOST_RETRIES}`);
  t.equal(answers.filter(({ status }) => status === 200).length, retries);
  t.equal(answers.filter(({ text }) => text.includes('GW_ERR_UPSTREAM_RESET')).length, REQUESTS - retries);
  t.equal(await proxy.count('retries_total', 'budget'), retries);
});

t.test('a status that is tried again counts towards the budget, and passes as it is beyond it', async (t) => {
  const { retries, answers } = await failAllAtOnce('statuses', (connection) =>
    connection.answer({ status: 503, body: 'busy' }),
  );
  t.ok(retries >= 3 && retries <= MOST_RETRIES, `${retries} retries of at most ${MOST_RETRIES}`);
  t.equal(answers.filter(({ status, text }) => status === 503 && text === 'busy').length, REQUESTS - retries);
});

t.test('the budget is free again once the retries are over', async (t) => {
  const origin = proxy.origin('budget');
  for (let round = 0; round < 20; round++) {
    let failed = false;
    origin.handler = (_, connection) => {
      if (failed) connection.answer({ body: 'second' });
      else connection.reset();
      failed = true;
    };
    t.equal((await proxy.request(formatRequest('GET', '/budget/'))).text, 'second');
  }
});
