/** Explanations say what the policies of a route make of a request, as a request would find it, and change nothing. */
import t from 'tap';
import type { Explanation } from '../../../lib/core/explain/explanation.ts';
import { AdminClient } from '../../helpers/admin-client.ts';
import { formatRequest } from '../../helpers/raw-client.ts';
import { outcome, startProxiedOrigin } from '../proxied-origin.ts';
import { API_KEY, BASIC, bearer, ISSUER, makeShop } from './trusted-parties.ts';

const APP = 'https://app.example.com';
const proxy = await startProxiedOrigin(t, {
  flags: ['--trusted-proxies', '10.0.0.1'],
  issuers: { main: ISSUER },
  consumers: { shop: await makeShop() },
  routes: {
    all: {
      match: { path: '/all', methods: ['GET'] },
      https: { redirect: true, hsts: { maxAgeSec: 60 } },
      clientAddresses: { deny: ['10.0.0.9'] },
      cors: { origins: [APP] },
      auth: { issuers: ['main'], apiKey: {}, basic: {}, scopes: ['read'] },
      rateLimits: [{ name: 'user', requests: 1, perSec: 3_600, key: { source: 'consumer' } }],
    },
    basic: { match: { path: '/basic' }, auth: { basic: {} } },
    limited: { match: { path: '/limited' }, rateLimits: [{ requests: 1, perSec: 3_600 }] },
  },
});
const admin = new AdminClient(() => proxy.gateway.adminPort, proxy.gateway.stateDirectory);

interface Asked {
  readonly method?: string;
  readonly url?: string;
  readonly clientAddress?: string;
}

async function explain(headers: Record<string, string> = {}, asked: Asked = {}): Promise<Explanation> {
  const body = {
    method: 'GET',
    url: 'https://shop.example/all',
    headers: Object.entries(headers),
    clientAddress: '10.0.0.7',
    ...asked,
  };
  const { status, text } = await admin.call('POST', 'explain', { body });
  if (status !== 200) throw new Error(`${status}: ${text}`);
  return JSON.parse(text) as Explanation;
}

/** The policies of the route, as `name: effect`. */
function effectsOf({ policies }: Explanation): Record<string, string> {
  return Object.fromEntries(policies.map(({ policy, effect }) => [policy, effect]));
}

t.test(
  'the policies come in the order in which they are asked, and what passes them goes to the origin',
  async (t) => {
    const explained = await explain({ 'X-Api-Key': API_KEY, Origin: APP, 'X-User-Id': 'forged' });
    const names = explained.policies.map(({ policy }) => policy).slice(0, 5);
    t.same(names, ['cors', 'https', 'clientAddresses', 'auth', 'rateLimits']);
    t.equal(explained.refused, undefined);
    const fields = Object.fromEntries(explained.upstream?.headers ?? []);
    t.match(fields, { 'x-consumer-id': 'shop' });
    t.notOk('X-User-Id' in fields);
  },
);

t.test(
  'the first policy that refuses is named, with its reason, and those behind it are not asked',
  async (t) => {
    const refusals: [Record<string, string>, Asked, string, number, string][] = [
      [{}, { clientAddress: '10.0.0.9' }, 'clientAddresses', 403, 'GW_ERR_ADDRESS_DENIED'],
      [{}, {}, 'auth', 401, 'GW_ERR_UNAUTHENTICATED'],
      [{ 'X-Api-Key': 'wrong' }, {}, 'auth', 401, 'GW_ERR_UNAUTHENTICATED'],
      [{ Authorization: bearer() }, {}, 'auth', 403, 'GW_ERR_ACCESS_DENIED'],
    ];
    for (const [headers, asked, policy, status, code] of refusals) {
      const explained = await explain(headers, asked);
      t.match(explained.refused, { status, code });
      const refusing = Object.entries(effectsOf(explained)).filter(([, effect]) =>
        effect.startsWith('refused with'),
      );
      t.same(
        refusing.map(([name]) => name),
        [policy],
      );
      t.equal(explained.upstream, undefined, 'nothing would be sent');
    }
  },
);

t.test('behind a trusted proxy the address and the scheme are those that it tells', async (t) => {
  const through = { url: 'http://shop.example/all', clientAddress: '10.0.0.1' };
  const told = { 'X-Forwarded-For': '10.0.0.9', 'X-Forwarded-Proto': 'https' };
  t.match((await explain(told, through)).refused, { code: 'GW_ERR_ADDRESS_DENIED' });
  t.match((await explain(told, { ...through, clientAddress: '10.0.0.2' })).policies[1], {
    policy: 'https',
    effect: /^answered by the gateway with 308: /,
  });
});

t.test('a redirect and a pre-flight are answered by the gateway', async (t) => {
  const redirected = await explain({}, { url: 'http://shop.example/all' });
  t.match(effectsOf(redirected).https, /^answered by the gateway with 308: /);
  t.same([redirected.refused, redirected.upstream], [undefined, undefined]);

  const preflight = { Origin: APP, 'Access-Control-Request-Method': 'GET' };
  const answered = await explain(preflight, { method: 'OPTIONS' });
  t.equal(answered.route, 'all', 'the route that takes the request which is asked about');
  t.match(effectsOf(answered).cors, /^answered by the gateway with 204: /);
  t.notMatch(effectsOf(answered).auth, /^refused/);
  t.same([answered.refused, answered.upstream], [undefined, undefined]);
  const denied = await explain(preflight, { method: 'OPTIONS', clientAddress: '10.0.0.9' });
  t.match(denied.refused, { code: 'GW_ERR_ADDRESS_DENIED' });
  const none = await explain({ Origin: APP }, { method: 'OPTIONS' });
  t.match(none.refused, { code: 'GW_ERR_NO_ROUTE' }, 'no pre-flight: it goes by its own method');
});

t.test('a WebSocket of a page of another origin is refused', async (t) => {
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'X-Api-Key': API_KEY };
  t.match((await explain({ ...upgrade, Origin: 'https://evil.org' })).refused, {
    code: 'GW_ERR_ORIGIN_DENIED',
  });
  t.equal((await explain({ ...upgrade, Origin: APP })).refused, undefined);
});

t.test('explaining charges no limit', async (t) => {
  const url = 'http://shop.example/limited';
  for (let count = 0; count < 3; count += 1) t.equal((await explain({}, { url })).refused, undefined);
  const ask = async () => outcome(await proxy.request(formatRequest('GET', '/limited')));
  t.same(await ask(), [200, undefined]);
  t.match((await explain({}, { url })).refused, { status: 429, code: 'GW_ERR_RATE_LIMITED' });
  t.same(await ask(), [429, 'GW_ERR_RATE_LIMITED']);
});

t.test('wrong passwords that are explained lock nobody out, and cannot be tried without end', async (t) => {
  const wrong = (count: number) => ({ Authorization: `Basic ${btoa(`clerk:wrong ${count}`)}` });
  const codes = new Set<string | undefined>();
  // Ten are free, and one more every six seconds: slow guesses are more.
  for (let count = 0; count < 40 && codes.size < 2; count += 1) {
    codes.add((await explain(wrong(count), { clientAddress: '127.0.0.1' })).refused?.code);
  }
  t.same([...codes], ['GW_ERR_UNAUTHENTICATED', 'GW_ERR_TOO_MANY_ATTEMPTS']);
  const right = formatRequest('GET', '/basic', { Authorization: BASIC });
  t.same(outcome(await proxy.request(right)), [200, undefined]);
});
