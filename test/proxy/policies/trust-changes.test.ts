/** Issuers, keys and consumers that change while requests come in. */
import t from 'tap';
import { jwkOf, makeKey, type SigningKey } from '../../auth/jwt-maker.ts';
import { AdminClient } from '../../helpers/admin-client.ts';
import { startGateway } from '../../helpers/gateway-process.ts';
import { startLoad } from '../../helpers/load.ts';
import { connect, formatRequest, request } from '../../helpers/raw-client.ts';
import { startOrigin } from '../../helpers/scripted-origin.ts';
import { startKeyServer } from '../../primary/materials/key-server.ts';
import { formatUpgrade } from '../websocket-peers.ts';
import { ISSUER, keyHashOf, tokenOf } from './trusted-parties.ts';

const origin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner: t });
const keys = await startKeyServer(t);
const silentKeys = await startKeyServer(t);
silentKeys.answer = () => {};
const OLD = makeKey('ES256');
const NEW = makeKey('ES256');

function serveKeys(...served: readonly [string, SigningKey][]): void {
  const set = served.map(([kid, key]) => jwkOf(key.publicKey, { kid }));
  keys.serve(JSON.stringify({ keys: set }));
}

function issuerAt(jwksUrl: string): object {
  const { jwks: _, ...others } = ISSUER;
  return { ...others, jwksUrl };
}

serveKeys(['old', OLD]);
const gateway = await startGateway(t, { workers: 2, accessLog: 'on' });
const admin = new AdminClient(() => gateway.adminPort, gateway.stateDirectory);

async function put(collection: string, id: string, body: unknown): Promise<void> {
  const { status, body: answer } = await admin.put(collection, id, body);
  if (status !== 200 && status !== 201) throw new Error(`${collection}/${id}: ${JSON.stringify(answer)}`);
}

await put('clusters', 'main', { destinations: { only: { url: origin.url } } });
await put('issuers', 'main', issuerAt(keys.url));
await put('issuers', 'silent', issuerAt(silentKeys.url));
await put('routes', 'jwt', { match: { path: '/jwt' }, cluster: 'main', auth: { issuers: ['main'] } });
await put('routes', 'silent', { match: { path: '/silent' }, cluster: 'main', auth: { issuers: ['silent'] } });
await put('routes', 'key', { match: { path: '/key' }, cluster: 'main', auth: { apiKey: {} } });

const oldToken = tokenOf({}, OLD, 'old');
const newToken = tokenOf({}, NEW, 'new');

/** The statuses of both workers, which take connections in turn. */
async function statusesOf(path: string, fields: Record<string, string>): Promise<number[]> {
  const statuses = new Set<number>();
  for (let count = 0; count < 6; count += 1) {
    statuses.add((await request(gateway.port, formatRequest('GET', path, fields))).status);
  }
  return [...statuses];
}

t.test(
  'a key that the key server adds is found by the first token that names it, and no request is lost',
  async (t) => {
    let token = oldToken;
    const load = startLoad({
      owner: t,
      port: gateway.port,
      clients: 4,
      keepAlive: true,
      path: () => '/jwt',
      headers: () => ({ Authorization: `Bearer ${token}` }),
      pauseMs: 2,
    });
    await load.waitForAnswers(50);
    serveKeys(['old', OLD], ['new', NEW]);
    token = newToken;
    await load.waitForAnswers(100);
    token = oldToken;
    await load.waitForAnswers(50);
    await load.stop();
    t.same([...load.statuses.keys()], [200]);
    t.same(load.failures, []);
  },
);

t.test('an issuer that changes by the management API is asked as it is from then on', async (t) => {
  const authorized = { Authorization: `Bearer ${oldToken}` };
  t.same(await statusesOf('/jwt', authorized), [200]);
  await put('issuers', 'main', { ...issuerAt(keys.url), audience: ['others'] });
  t.same(await statusesOf('/jwt', authorized), [401], 'though the token was verified before');
  await put('issuers', 'main', { ...ISSUER, jwks: { keys: [jwkOf(NEW.publicKey, { kid: 'new' })] } });
  t.same(await statusesOf('/jwt', authorized), [401]);
  t.same(await statusesOf('/jwt', { Authorization: `Bearer ${newToken}` }), [200]);
  await put('issuers', 'main', issuerAt(keys.url));
  t.same(await statusesOf('/jwt', authorized), [200]);
});

t.test('consumers come, change their keys and go', async (t) => {
  const withKey = (key: string) => statusesOf('/key', { 'X-Api-Key': key });
  t.same(await withKey('first-key'), [401]);
  await put('consumers', 'shop', { apiKeys: [{ hash: keyHashOf('first-key') }] });
  t.same(await withKey('first-key'), [200]);
  await put('consumers', 'shop', {
    apiKeys: [{ hash: keyHashOf('first-key') }, { hash: keyHashOf('second-key') }],
  });
  t.same([await withKey('first-key'), await withKey('second-key')], [[200], [200]]);
  await put('consumers', 'shop', { apiKeys: [{ hash: keyHashOf('second-key') }] });
  t.same([await withKey('first-key'), await withKey('second-key')], [[401], [200]]);
  const { status } = await admin.write('DELETE', 'consumers/shop?wait=all&timeoutMs=20000');
  t.equal(status, 200);
  t.same(await withKey('second-key'), [401]);
});

t.test('a route that gets or loses its auth does so for the next request of a kept connection', async (t) => {
  const client = await connect(gateway.port, { owner: t });
  const route = { match: { path: '/changing' }, cluster: 'main' };
  const status = async () => {
    client.send(formatRequest('GET', '/changing'));
    return (await client.readResponse()).status;
  };
  await put('routes', 'changing', route);
  t.equal(await status(), 200);
  await put('routes', 'changing', { ...route, auth: { apiKey: {} } });
  t.equal(await status(), 401);
  await put('routes', 'changing', route);
  t.equal(await status(), 200);
});

t.test('a client that goes away while keys are waited for leaves nothing behind', async (t) => {
  const before = origin.requests.length;
  const fields = { Authorization: `Bearer ${oldToken}` };
  const client = await connect(gateway.port, { owner: t });
  // The answer to the first says that the gateway has read the second, which waits.
  client.send(formatRequest('GET', '/key') + formatRequest('GET', '/silent', fields));
  t.equal((await client.readResponse()).status, 401);
  const logged = gateway.waitForNextLog(({ msg, route }) => msg === 'request' && route === 'silent');
  client.reset();
  t.match(await logged, { status: 499, consumer: null });

  const upgrading = await connect(gateway.port, { owner: t });
  upgrading.send(formatUpgrade('/silent', Object.entries(fields)));
  const aborted = gateway.waitForNextLog(({ msg, status }) => msg === 'request' && status === 499);
  upgrading.end();
  t.match(await aborted, { code: 'GW_ERR_CLIENT_ABORTED', requestId: /^\S+$/ });
  t.equal(origin.requests.length, before);
  t.same(await statusesOf('/jwt', fields), [200], 'and all go on');
});

t.test('who waits for keys that do not come is told so', async (t) => {
  const fields = { Authorization: `Bearer ${oldToken}` };
  t.same((await request(gateway.port, formatRequest('GET', '/silent', fields))).status, 503);
  t.same((await request(gateway.port, formatUpgrade('/silent', Object.entries(fields)))).status, 503);
});
