/** Who gets through to an origin with which credentials, and what a client that does not may go on with. */
import t from 'tap';
import type { HeaderField } from '../../helpers/http-message.ts';
import { formatRequest } from '../../helpers/raw-client.ts';
import type { RawResponse } from '../../helpers/response-reader.ts';
import { answerOk, outcome, startProxiedOrigin } from '../proxied-origin.ts';
import { ACCEPT_FIELDS, formatUpgrade } from '../websocket-peers.ts';
import { API_KEY, BASIC, bearer, ISSUER, makeShop, tokenOf } from './trusted-parties.ts';

const UNAUTHENTICATED = [401, 'GW_ERR_UNAUTHENTICATED'] as const;
const DENIED = [403, 'GW_ERR_ACCESS_DENIED'] as const;
const LET_IN = [200, undefined] as const;
const EXPIRED = { exp: Date.now() / 1_000 - 600 };

const proxy = await startProxiedOrigin(t, {
  accessLog: 'on',
  issuers: { main: ISSUER, 'no-keys': { ...ISSUER, jwks: undefined, jwksFile: '/nowhere/keys' } as never },
  consumers: { shop: await makeShop() },
  routes: {
    jwt: {
      match: { path: '/jwt' },
      auth: { issuers: ['main'], tokenFrom: { cookie: 'session', query: 'access_token' } },
    },
    scoped: {
      match: { path: '/scoped' },
      auth: { issuers: ['main'], scopes: ['write'], claims: { tier: ['gold', 1] } },
    },
    key: { match: { path: '/key' }, auth: { apiKey: {} } },
    queryKey: { match: { path: '/query-key' }, auth: { apiKey: { query: 'key' }, forwardToken: false } },
    basic: { match: { path: '/basic' }, auth: { basic: { realm: 'Shop' } } },
    all: {
      match: { path: '/all/{**rest}' },
      auth: {
        issuers: ['main'],
        tokenFrom: { cookie: 'session', query: 'access_token' },
        apiKey: {},
        basic: {},
        forwardToken: false,
      },
    },
    write: {
      match: { path: '/write' },
      auth: { apiKey: {}, scopes: ['write'] },
      limits: { maxBodyBytes: 1_000 },
    },
    limited: { match: { path: '/limited' }, rateLimits: [{ requests: 1, perSec: 3_600 }] },
    keyless: { match: { path: '/keyless' }, auth: { issuers: ['no-keys'] } },
    open: { match: { path: '/open' } },
  },
});

t.beforeEach(() => {
  proxy.origin.handler = answerOk;
});

function get(path: string, fields: Record<string, string> = {}): string {
  return formatRequest('GET', path, fields);
}

async function outcomeOf(path: string, fields: Record<string, string> = {}) {
  return outcome(await proxy.request(get(path, fields)));
}

t.test('each way in takes its own credentials', async (t) => {
  const before = proxy.origin.requests.length;
  for (const path of ['/jwt', '/scoped', '/key', '/query-key', '/basic', '/all/'])
    t.same(await outcomeOf(path), UNAUTHENTICATED, path);
  t.same(await outcomeOf('/jwt', { Authorization: 'Bearer nonsense' }), UNAUTHENTICATED);
  t.same(await outcomeOf('/jwt', { Authorization: bearer(EXPIRED) }), UNAUTHENTICATED);
  t.same(await outcomeOf('/jwt', { 'X-Api-Key': API_KEY }), UNAUTHENTICATED);
  t.same(await outcomeOf('/key', { Authorization: bearer() }), UNAUTHENTICATED);
  t.same(await outcomeOf('/key', { 'X-Api-Key': `${API_KEY}x` }), UNAUTHENTICATED);
  t.same(
    await outcomeOf('/key', { 'X-Api-Key': API_KEY, X_Api_Key: API_KEY }),
    UNAUTHENTICATED,
    'which is it?',
  );
  t.same(await outcomeOf('/basic', { Authorization: `Basic ${btoa('clerk:wrong')}` }), UNAUTHENTICATED);
  t.equal(proxy.origin.requests.length, before, 'and nothing of it goes on');

  t.same(await outcomeOf('/jwt', { Authorization: bearer() }), LET_IN);
  t.same(await outcomeOf('/jwt', { Cookie: `session=${tokenOf()}` }), LET_IN);
  t.same(await outcomeOf(`/jwt?access_token=${tokenOf()}`), LET_IN);
  t.same(await outcomeOf('/key', { 'X-Api-Key': API_KEY }), LET_IN);
  t.same(await outcomeOf(`/query-key?key=${API_KEY}`), LET_IN);
  t.same(await outcomeOf('/basic', { Authorization: BASIC }), LET_IN);
});

t.test('a challenge says which credentials are wanted', async (t) => {
  const challenges = async (path: string, fields: Record<string, string> = {}) =>
    (await proxy.request(get(path, fields))).headerValues('www-authenticate').join(', ');
  t.match(await challenges('/jwt'), /^Bearer/);
  t.match(await challenges('/jwt', { Authorization: 'Bearer x' }), /error="invalid_token"/);
  t.match(await challenges('/basic'), /^Basic realm="Shop", charset="UTF-8"$/);
});

t.test('scopes and claims decide who of the authenticated may', async (t) => {
  const outcomeWith = (claims: object) => outcomeOf('/scoped', { Authorization: bearer(claims) });
  t.same(await outcomeWith({}), DENIED);
  t.same(await outcomeWith({ scope: 'read write' }), DENIED);
  t.same(await outcomeWith({ tier: 'gold' }), DENIED);
  t.same(await outcomeWith({ scope: 'writer', tier: 'gold' }), DENIED);
  t.same(await outcomeWith({ scope: 'read write', tier: '1' }), DENIED, 'a text is no number');
  t.same(await outcomeWith({ scope: 'read write', tier: 'gold' }), LET_IN);
  t.same(await outcomeWith({ scp: ['write'], tier: ['silver', 1] }), LET_IN);
  t.same(await outcomeOf('/write', { 'X-Api-Key': API_KEY }), DENIED);
});

t.test('without any key to verify with it is 503, and nobody is let in', async (t) => {
  const response = await proxy.request(get('/keyless', { Authorization: bearer() }));
  t.same(outcome(response), [503, 'GW_ERR_KEYS_UNAVAILABLE']);
  t.match(response.header('retry-after'), /^\d+$/);
});

t.test(
  'what carried the credentials is kept from the origin, in every spelling, and all else is not',
  async (t) => {
    const token = tokenOf();
    const secrets = [token, API_KEY, BASIC];
    for (const [target, fields, expected, cookie] of [
      ['/all/a?x=%2F&y', [['authorization', `bearer ${token}`]], '/all/a?x=%2F&y'],
      ['/all/a?x=1', [['AUTHORIZATION', BASIC]], '/all/a?x=1'],
      ['/all/a', [['X-API-KEY', API_KEY]], '/all/a'],
      ['/all/a', [['X_Api.Key', API_KEY]], '/all/a'],
      [`/all/a?x=1&access%5Ftoken=${token}&y+z`, [], '/all/a?x=1&y+z'],
      [`/all/a?%61ccess_token=${token}`, [], '/all/a'],
      ['/all/a?', [['Cookie', `a=1; session=${token}; b="2"`]], '/all/a?', ['a=1; b="2"']],
      ['/all/a', [['Cookie', `session="${token}"`]], '/all/a', []],
      [
        '/all/a',
        [
          ['Cookie', 'a=1'],
          ['cookie', `session=${token}`],
          ['Cookie', 'b=2;c=3'],
        ],
        '/all/a',
        ['a=1', 'b=2;c=3'],
      ],
      [
        `/query-key?key=${API_KEY}&session=1`,
        [['Authorization', 'Bearer of-the-origin']],
        '/query-key?session=1',
      ],
    ] as [string, HeaderField[], string, string[]?][]) {
      const { received, response } = await proxy.exchange(formatRequest('GET', target, fields));
      t.equal(response.status, 200, target);
      t.equal(received.target, expected);
      const head = received.headBytes.toString('latin1');
      for (const secret of secrets) t.notOk(head.includes(secret), 'no secret is left');
      if (cookie !== undefined) t.same(received.headerValues('cookie'), cookie);
    }
    const other = await proxy.exchange(
      formatRequest('GET', `/query-key?key=${API_KEY}`, { Authorization: 'Bearer of-the-origin' }),
    );
    t.equal(
      other.received.header('authorization'),
      'Bearer of-the-origin',
      'what the route does not take is not its business',
    );
  },
);

t.test('where nothing is said of it, only the credentials that decided are passed on', async (t) => {
  const both = { Authorization: bearer(), Cookie: 'session=unverified; a=1' };
  const { received } = await proxy.exchange(get('/jwt?x=1&access_token=unverified', both));
  t.equal(received.header('authorization'), both.Authorization);
  t.equal(received.header('cookie'), 'a=1');
  t.equal(received.target, '/jwt?x=1');
  const cookie = `session=${tokenOf()}; a=1`;
  t.equal((await proxy.exchange(get('/jwt', { Cookie: cookie }))).received.header('cookie'), cookie);
  const target = `/jwt?access_token=${tokenOf()}`;
  t.equal((await proxy.exchange(get(target))).received.target, target);
});

/** Upgrades at the origin are accepted, and end at once. */
async function upgrade(path: string, fields: readonly HeaderField[] = []): Promise<RawResponse> {
  proxy.origin.handler = (request, connection) => {
    if (request.header('upgrade') === undefined) return answerOk(request, connection);
    connection.inform(101, ACCEPT_FIELDS);
    connection.close();
  };
  return proxy.request(formatUpgrade(path, fields));
}

t.test('WebSockets need the same credentials, and carry them no further', async (t) => {
  const token = tokenOf();
  const before = proxy.origin.requests.length;
  for (const fields of [[], [['Authorization', bearer(EXPIRED)]], [['X-Api-Key', 'no']]] as HeaderField[][]) {
    const refused = await upgrade('/all/', fields);
    t.same(outcome(refused), UNAUTHENTICATED);
    t.match(refused.header('www-authenticate'), /Bearer|Basic/);
  }
  t.same(outcome(await upgrade('/scoped', [['Authorization', bearer()]])), DENIED);
  t.same(outcome(await upgrade('/keyless', [['Authorization', bearer()]])), [503, 'GW_ERR_KEYS_UNAVAILABLE']);
  t.equal(proxy.origin.requests.length, before);
  for (const [target, field, expected] of [
    ['/all/s?x=1', ['Authorization', `Bearer ${token}`], '/all/s?x=1'],
    ['/all/s', ['Authorization', BASIC], '/all/s'],
    ['/all/s', ['X-Api-Key', API_KEY], '/all/s'],
    ['/all/s', ['Cookie', `session=${token}; a=1`], '/all/s'],
    [`/all/s?access_token=${token}&x=1`, ['X-Some', 'thing'], '/all/s?x=1'],
  ] as [string, HeaderField, string][]) {
    t.equal((await upgrade(target, [field])).status, 101, field[0]);
    const received = proxy.origin.requests.at(-1);
    t.equal(received?.target, expected);
    t.notMatch(
      received?.headBytes.toString('latin1'),
      new RegExp([token, API_KEY, BASIC.slice(6)].join('|')),
    );
  }
});

t.test('a refused request without a body leaves its connection to the next one', async (t) => {
  const client = await proxy.connect(t);
  const refusals: [string, number][] = [
    [get('/jwt'), 401],
    [get('/key', { 'X-Api-Key': 'no' }), 401],
    [get('/write', { 'X-Api-Key': API_KEY }), 403],
    [get('/limited'), 200],
    [get('/limited'), 429],
    [get('/jwt', { Authorization: bearer() }), 200],
  ];
  for (const [text, status] of refusals) {
    client.send(text);
    const response = await client.readResponse();
    t.equal(response.status, status);
    t.not(response.header('connection'), 'close');
  }
  client.send(formatRequest('HEAD', '/jwt') + get('/open'));
  t.equal((await client.readResponse({ toHead: true })).status, 401);
  t.equal((await client.readResponse()).text, 'ok');
});

t.test('a request behind one that is refused is its own', async (t) => {
  const client = await proxy.connect(t);
  client.send(get('/jwt') + get('/jwt', { Authorization: bearer() }) + get('/jwt') + get('/open'));
  const statuses: number[] = [];
  for (let count = 0; count < 4; count += 1) statuses.push((await client.readResponse()).status);
  t.same(statuses, [401, 200, 401, 200], 'no credentials are lent to the next');
});

t.test('answers keep their order where a verdict takes its time', async (t) => {
  const client = await proxy.connect(t);
  const wrong = { Authorization: `Basic ${btoa('nobody:wrong')}` };
  client.send(get('/basic', wrong) + get('/open'));
  t.same(outcome(await client.readResponse()), UNAUTHENTICATED);
  t.same(outcome(await client.readResponse()), LET_IN);
});

t.test('the body of a refused request is never taken for the next one', async (t) => {
  const before = proxy.origin.requests.length;
  const smuggled = get('/open', { 'X-Smuggled': 'yes' });
  const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
  for (const text of [
    formatRequest('POST', '/jwt', {}, smuggled),
    formatRequest('POST', '/jwt', { 'Transfer-Encoding': 'chunked' }, chunk),
    formatRequest('GET', '/key', {}, smuggled),
    formatRequest('POST', '/basic', { Authorization: `Basic ${btoa('nobody:wrong')}` }, smuggled),
  ]) {
    const client = await proxy.connect(t);
    client.send(text + get('/open'));
    t.same(outcome(await client.readResponse()), UNAUTHENTICATED);
    // What follows is refused with the connection, or served as the request that it is.
    client.end();
    await client.waitForClose();
    t.notMatch(client.unread.toString('latin1'), /X-Smuggled/i);
  }
  const smuggledRequests = proxy.origin.requests
    .slice(before)
    .filter((request) => request.header('x-smuggled'));
  t.same(smuggledRequests.length, 0);
});

t.test('a client that sends a large body to where it may not reads the refusal', async (t) => {
  const client = await proxy.connect(t);
  const size = 4 * 1_024 * 1_024;
  client.send(formatRequest('POST', '/jwt', { 'Content-Length': String(size) }));
  client.send(Buffer.alloc(size / 2));
  const response = await client.readResponse();
  t.same(outcome(response), UNAUTHENTICATED);
  t.equal(response.header('connection'), 'close');
  client.send(Buffer.alloc(size / 2));
  t.equal(await client.waitForClose(), 'closed', 'not reset: the answer must not be lost');
});

t.test('nobody is asked for a body before it is known who sends it', async (t) => {
  const head = (path: string, fields: Record<string, string> = {}) =>
    formatRequest('POST', path, { Expect: '100-continue', 'Content-Length': '5', ...fields });
  const before = proxy.origin.requests.length;
  for (const [text, expected] of [
    [head('/jwt'), UNAUTHENTICATED],
    [head('/write', { 'X-Api-Key': API_KEY }), DENIED],
    [head('/basic', { Authorization: `Basic ${btoa('nobody:wrong')}` }), UNAUTHENTICATED],
    [head('/limited'), [429, 'GW_ERR_RATE_LIMITED']],
  ] as const) {
    const response = await proxy.request(text);
    t.same(outcome(response), expected);
    t.same(response.informational, [], 'no 100');
    t.equal(response.header('connection'), 'close');
  }
  t.equal(proxy.origin.requests.length, before);
  const client = await proxy.connect(t);
  proxy.origin.handler = async (request, connection) => {
    connection.inform(100);
    await request.ended;
    connection.answer({ body: request.text });
  };
  client.send(head('/jwt', { Authorization: bearer() }));
  await client.waitForBytes('100 Continue');
  client.send('hello');
  t.equal((await client.readResponse()).text, 'hello');
});

t.test('passwords are not guessed: an address that was wrong too often waits, others do not', async (t) => {
  const from = { localAddress: '127.0.0.4' };
  const guess = async (password: string) =>
    outcome(
      await proxy.request(get('/basic', { Authorization: `Basic ${btoa(`clerk:${password}`)}` }), from),
    );
  const outcomes = new Set<string>();
  // Ten are free, and one more every six seconds: slow guesses are more.
  for (let count = 0; count < 40 && outcomes.size < 2; count += 1)
    outcomes.add(String(await guess(`wrong ${count}`)));
  t.same([...outcomes], ['401,GW_ERR_UNAUTHENTICATED', '429,GW_ERR_TOO_MANY_ATTEMPTS']);
  t.same(await outcomeOf('/basic', { Authorization: BASIC }), LET_IN);
});

t.test('the access log tells who it was, and nothing of the credentials', async (t) => {
  const lineOf = async (text: string) => {
    const requestId = (await proxy.request(text)).header('x-request-id');
    return proxy.gateway.waitForLog((line) => line.msg === 'request' && line.requestId === requestId);
  };
  const token = tokenOf();
  t.match(await lineOf(get('/jwt', { Authorization: `Bearer ${token}` })), {
    consumer: 'main:alice',
    status: 200,
  });
  t.match(await lineOf(get(`/jwt?access_token=${token}`)), { consumer: 'main:alice', path: '/jwt' });
  t.match(await lineOf(get('/key', { 'X-Api-Key': API_KEY })), { consumer: 'shop' });
  t.match(await lineOf(get('/basic', { Authorization: BASIC })), { consumer: 'shop' });
  t.match(await lineOf(get('/write', { 'X-Api-Key': API_KEY })), {
    consumer: 'shop',
    status: 403,
    code: 'GW_ERR_ACCESS_DENIED',
  });
  t.match(await lineOf(get('/jwt', { Authorization: bearer(EXPIRED) })), { consumer: null, status: 401 });
  t.match(await lineOf(get('/open', { Authorization: `Bearer ${token}` })), { consumer: null, status: 200 });
  t.match(await lineOf(formatUpgrade('/all/', [['X-Api-Key', API_KEY]])), { consumer: 'shop' });
  const secrets = [token, API_KEY, BASIC.slice(6)];
  const telling = proxy.gateway.logs.filter((line) =>
    secrets.some((one) => JSON.stringify(line).includes(one)),
  );
  t.same(telling, []);
});
