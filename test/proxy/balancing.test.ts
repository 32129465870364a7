/** How requests are spread over the destinations of a cluster, seen from the origins. */
import t from 'tap';
import type { Cluster, LoadBalancing } from '../../lib/core/config/model.ts';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { answerOk, startProxiedOrigin } from './proxied-origin.ts';

const NAMES = ['a', 'b', 'c'] as const;
const origins = await Promise.all(NAMES.map(() => startOrigin(answerOk, { owner: t })));
const WEIGHTS = [5, 2, 1];

function clusterWith(loadBalancing: LoadBalancing, weighted = false): Cluster {
  const destinations: Cluster['destinations'] = {};
  for (const [index, name] of NAMES.entries()) {
    const url = origins[index]?.url ?? '';
    destinations[name] = weighted ? { url, weight: WEIGHTS[index] ?? 1 } : { url };
  }
  return { loadBalancing, destinations, retry: { attempts: 1 } };
}

const byHeader = { source: 'header', name: 'x-user' } as const;
const CLUSTERS: Readonly<Record<string, Cluster>> = {
  roundRobin: clusterWith({ policy: 'roundRobin' }),
  weighted: clusterWith({ policy: 'weightedRoundRobin' }, true),
  random: clusterWith({ policy: 'random' }),
  twoChoices: clusterWith({ policy: 'powerOfTwoChoices' }),
  least: clusterWith({ policy: 'leastRequests' }),
  ewma: clusterWith({ policy: 'peakEwma' }),
  byHeader: clusterWith({ policy: 'consistentHash', hash: byHeader }),
  byCookie: clusterWith({ policy: 'consistentHash', hash: { source: 'cookie', name: 'user' } }),
  byQuery: clusterWith({ policy: 'consistentHash', hash: { source: 'query', name: 'user' } }),
  byAddress: clusterWith({ policy: 'consistentHash', hash: { source: 'clientIp' } }),
  nobody: { destinations: {} },
};
const routes = Object.fromEntries(
  Object.keys(CLUSTERS).map((id) => [id, { match: { path: `/${id}` }, cluster: id }]),
);
const proxied = await startProxiedOrigin(t, { routes, clusters: CLUSTERS });

/** Sends requests one after the other and names the origin of each. */
async function spread(count: number, makeText: (index: number) => string, localAddress = '127.0.0.1') {
  for (const [index, origin] of origins.entries()) {
    origin.handler = (_, connection) => connection.answer({ body: NAMES[index] ?? '' });
  }
  const client = await proxied.connect(t, { localAddress });
  const names: string[] = [];
  for (let index = 0; index < count; index += 1) {
    client.send(makeText(index));
    names.push((await client.readResponse()).text);
  }
  client.close();
  return names;
}

const countEach = (names: readonly string[]) =>
  NAMES.map((name) => names.filter((other) => other === name).length);

t.test('roundRobin gives each its turn, in one worker exactly evenly', async (t) => {
  const names = await spread(30, () => formatRequest('GET', '/roundRobin'));
  t.same(countEach(names), [10, 10, 10]);
  for (let start = 0; start < 30; start += 3)
    t.equal(new Set(names.slice(start, start + 3)).size, 3, `turn ${start / 3}`);
});

t.test('weightedRoundRobin gives each its share, interleaved', async (t) => {
  const names = await spread(80, () => formatRequest('GET', '/weighted'));
  t.same(countEach(names), [50, 20, 10]);
  t.notMatch(names.join(''), /a{5}|bb|cc/, 'no destination takes its share in one go');
});

for (const id of ['random', 'twoChoices', 'least', 'ewma']) {
  t.test(`${id} uses every destination`, async (t) => {
    // That 60 random draws leave one of three out happens once in ten thousand million times.
    const counts = await flood(id, 60);
    t.ok(Math.min(...counts) > 0, counts.join());
  });
}

/** Sends that many at once, which the origins answer only when all have arrived; gives how many each got. */
async function flood(id: string, count: number): Promise<number[]> {
  const held: OriginConnection[] = [];
  const counts = NAMES.map(() => 0);
  for (const [index, origin] of origins.entries()) {
    origin.handler = (_, connection) => {
      counts[index] = (counts[index] ?? 0) + 1;
      held.push(connection);
      if (held.length === count) for (const waiting of held) waiting.answer({ body: 'ok' });
    };
  }
  const clients = await Promise.all(Array.from({ length: count }, () => proxied.connect(t)));
  for (const client of clients) client.send(formatRequest('GET', `/${id}`));
  for (const client of clients) await client.readResponse();
  return counts;
}

t.test('leastRequests keeps the requests under way level', async (t) => {
  const counts = await flood('least', 30);
  t.same(counts, [10, 10, 10]);
});

t.test('powerOfTwoChoices keeps the requests under way nearly level', async (t) => {
  const counts = await flood('twoChoices', 90);
  t.ok(Math.max(...counts) - Math.min(...counts) <= 10, counts.join());
});

for (const [id, makeText] of [
  ['byHeader', (user: number) => formatRequest('GET', '/byHeader', { 'X-User': `user-${user}` })],
  ['byCookie', (user: number) => formatRequest('GET', '/byCookie', { Cookie: `a=b; user=${user}; c=d` })],
  ['byQuery', (user: number) => formatRequest('GET', `/byQuery?a=b&user=${user}`)],
] as const) {
  t.test(`consistentHash ${id}: who is the same goes to the same, and all are used`, async (t) => {
    const first = await spread(40, (index) => makeText(index));
    const second = await spread(40, (index) => makeText(index));
    t.same(second, first);
    t.equal(new Set(first).size, 3);
  });
}

t.test('consistentHash by header does not mind the spelling of its name', async (t) => {
  const names = await spread(9, (index) =>
    formatRequest('GET', '/byHeader', { [index % 2 === 0 ? 'x-user' : 'X-USER']: 'someone' }),
  );
  t.equal(new Set(names).size, 1);
});

t.test('consistentHash by address: a client always goes to the same, and clients are spread', async (t) => {
  const used = new Set<string>();
  for (let host = 1; host <= 20; host += 1) {
    const names = await spread(3, () => formatRequest('GET', '/byAddress'), `127.0.0.${host}`);
    t.equal(new Set(names).size, 1, `127.0.0.${host}`);
    used.add(names[0] ?? '');
  }
  t.equal(used.size, 3);
});

t.test('a cluster without destinations gets 503', async (t) => {
  const response = await proxied.request(formatRequest('GET', '/nobody'));
  t.equal(response.status, 503);
  t.match(response.text, /GW_ERR_NO_DESTINATION/);
});
