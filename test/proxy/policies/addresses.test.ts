/** Who may use a route by the client's own address, as seen past trusted proxies. */
import t from 'tap';
import { startGateway } from '../../helpers/gateway-process.ts';
import type { HeaderField } from '../../helpers/http-message.ts';
import { type ClientOptions, formatRequest, request } from '../../helpers/raw-client.ts';
import { startOrigin } from '../../helpers/scripted-origin.ts';
import { outcome, startProxiedOrigin } from '../proxied-origin.ts';
import { formatUpgrade } from '../websocket-peers.ts';

const DENIED = [403, 'GW_ERR_ADDRESS_DENIED'] as const;
const LET_IN = [200, undefined] as const;

const proxy = await startProxiedOrigin(t, {
  flags: ['--trusted-proxies', '127.0.0.2,127.0.0.3'],
  routes: {
    allowed: {
      match: { path: '/allowed' },
      clientAddresses: { allow: ['127.0.0.8', '10.0.0.0/8', '2001:db8::/32'] },
    },
    denied: { match: { path: '/denied' }, clientAddresses: { deny: ['127.0.0.8/32', '2001:db8:bad::/48'] } },
    both: {
      match: { path: '/both' },
      clientAddresses: { allow: ['127.0.0.0/8', '10.0.0.0/8'], deny: ['127.0.0.8', '10.0.0.7'] },
    },
    open: { match: { path: '/open' } },
  },
});

/** The outcome for a client at this address, with fields of its own. */
async function from(
  localAddress: string,
  path: string,
  fields: readonly HeaderField[] = [],
): Promise<readonly [number, string | undefined]> {
  return outcome(await proxy.request(formatRequest('GET', path, fields), { localAddress }));
}

/** The outcome for a client that the trusted proxy 127.0.0.2 tells of. */
function behindProxy(path: string, ...forwardedFor: readonly string[]): ReturnType<typeof from> {
  return from(
    '127.0.0.2',
    path,
    forwardedFor.map((value): HeaderField => ['X-Forwarded-For', value]),
  );
}

t.test('only those are let in that are allowed, and not denied', async (t) => {
  t.same(await from('127.0.0.8', '/allowed'), LET_IN);
  t.same(await from('127.0.0.9', '/allowed'), DENIED);
  t.same(await from('127.0.0.8', '/denied'), DENIED);
  t.same(await from('127.0.0.9', '/denied'), LET_IN);
  t.same(await from('127.0.0.8', '/both'), DENIED, 'deny goes before allow');
  t.same(await from('127.0.0.9', '/both'), LET_IN);
  t.same(await from('127.0.0.8', '/open'), LET_IN);
});

t.test('nobody but a trusted proxy can say that it is somebody else', async (t) => {
  const before = proxy.origin.requests.length;
  for (const fields of [
    [['X-Forwarded-For', '127.0.0.8']],
    [['X-Real-IP', '127.0.0.8']],
    [['Forwarded', 'for=127.0.0.8']],
    [['X_Forwarded_For', '127.0.0.8']],
    [['True-Client-IP', '127.0.0.8']],
  ] as const)
    t.same(await from('127.0.0.9', '/allowed', fields), DENIED, fields[0][0]);
  t.equal(proxy.origin.requests.length, before, 'and nothing of it goes on');
});

t.test('behind trusted proxies it is the last address that is none of theirs', async (t) => {
  t.same(await behindProxy('/allowed', '10.1.2.3'), LET_IN);
  t.same(await behindProxy('/allowed', '11.1.2.3'), DENIED);
  t.same(
    await behindProxy('/allowed', '10.1.2.3, 11.1.2.3'),
    DENIED,
    'the first is only what the client says',
  );
  t.same(await behindProxy('/allowed', '11.1.2.3, 10.1.2.3, 127.0.0.3'), LET_IN, 'past both proxies');
  t.same(await behindProxy('/allowed', '10.1.2.3', '11.1.2.3'), DENIED, 'in two fields');
  t.same(await behindProxy('/allowed', 'garbage, 10.1.2.3'), LET_IN);
  t.same(await behindProxy('/both', '10.0.0.7'), DENIED);
  t.same(await behindProxy('/both'), LET_IN, 'it comes itself');
});

t.test('addresses are compared as numbers, in whatever spelling', async (t) => {
  for (const address of ['2001:db8::1', '2001:0DB8:0:0:0:0:0:1', '2001:db8:ffff::10.0.0.1'])
    t.same(await behindProxy('/allowed', address), LET_IN, address);
  for (const address of ['2001:db9::1', '::', 'fe80::1%eth0'])
    t.same(await behindProxy('/allowed', address), DENIED, address);
  t.same(await behindProxy('/denied', '2001:DB8:BAD:0::7'), DENIED);
  for (const address of ['::ffff:10.0.0.7', '::ffff:a00:7', '0:0:0:0:0:ffff:10.0.0.7']) {
    t.same(await behindProxy('/both', address), DENIED, address);
    t.same(await behindProxy('/allowed', address), LET_IN, address);
  }
});

t.test('a denied WebSocket is told so, and the origin hears nothing', async (t) => {
  const before = proxy.origin.requests.length;
  const client = await proxy.connect(t, { localAddress: '127.0.0.8' });
  client.send(formatUpgrade('/denied'));
  t.same(outcome(await client.readResponse()), DENIED);
  await client.waitForClose();
  t.equal(proxy.origin.requests.length, before);
});

t.test('who is denied may try another route on the same connection', async (t) => {
  const client = await proxy.connect(t, { localAddress: '127.0.0.8' });
  client.send(formatRequest('GET', '/denied') + formatRequest('GET', '/open'));
  t.same(outcome(await client.readResponse()), DENIED);
  t.same(outcome(await client.readResponse()), LET_IN);
});

t.test('on a listener for both families, IPv4 clients go by their own address', async (t) => {
  const origin = await startOrigin((_, connection) => connection.answer(), { owner: t });
  const route = (clientAddresses: object, path: string) => ({
    match: { path },
    cluster: 'c',
    clientAddresses,
  });
  const gateway = await startGateway(t, {
    listen: '[::]:0',
    accessLog: 'off',
    config: {
      clusters: { c: { destinations: { only: { url: origin.url } } } },
      routes: {
        four: route({ allow: ['127.0.0.0/8'] }, '/four'),
        six: route({ allow: ['::1'] }, '/six'),
        notAll: route({ deny: ['::/0'] }, '/not-all'),
      },
    },
  });
  const statusOf = async (path: string, options: ClientOptions) =>
    (await request(gateway.port, formatRequest('GET', path), options)).status;
  const [four, six] = [{ host: '127.0.0.1' }, { host: '::1' }];
  t.same([await statusOf('/four', four), await statusOf('/four', six)], [200, 403]);
  t.same([await statusOf('/six', four), await statusOf('/six', six)], [403, 200]);
  t.same([await statusOf('/not-all', four), await statusOf('/not-all', six)], [403, 403]);
});
