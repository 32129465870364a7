/** Commands and a gateway whose management API speaks TLS: whom they trust, and what they keep to themselves. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { explainTlsFailure } from '../../../lib/cli/remote/connection-security.ts';
import { startGateway } from '../../helpers/gateway-process.ts';
import { createAuthority } from '../../proxy/tls/test-authority.ts';
import { commandsFor, configurationOf, linesOf } from './remote-commands.ts';

const [authority, stranger] = await Promise.all([
  createAuthority(t),
  createAuthority(t, 'Another authority'),
]);
const [served, client, foreign] = await Promise.all([
  authority.issue({ names: ['localhost'] }),
  authority.issue({ subject: '/CN=operator' }),
  stranger.issue({ subject: '/CN=stranger' }),
]);
const gateway = await startGateway(t, {
  flags: [
    ...['--admin-tls-cert', served.certFile, '--admin-tls-key', served.keyFile],
    ...['--admin-tls-client-ca', authority.caFile],
  ],
});
const commands = await commandsFor(t, gateway);
const url = `https://localhost:${gateway.adminPort}`;
const variables = {
  GATEWAY_ADMIN_URL: url,
  GATEWAY_ADMIN_CA: authority.caFile,
  GATEWAY_ADMIN_CERT: client.certFile,
  GATEWAY_ADMIN_KEY: client.keyFile,
};

/** An ordinary server in the place of a gateway; it says nothing of use. */
const received: IncomingMessage[] = [];
const plain = createServer((incoming, answer) => {
  received.push(incoming);
  answer.end('{}');
});
await once(plain.listen(0, '0.0.0.0'), 'listening');
t.teardown(() => {
  plain.close();
  plain.closeAllConnections();
});
const plainPort = (plain.address() as AddressInfo).port;

t.test('every command works over TLS with a client certificate', async (t) => {
  const file = await commands.file('gateway.json', configurationOf({ a: {} }));
  const applied = await commands.run(['apply', file], variables);
  t.equal(applied.code, 0, applied.stderr);
  const looks = [['status'], ['diff', file], ['history'], ['export'], ['explain', 'GET', '/a']];
  const results = await Promise.all(looks.map((words) => commands.run(words, variables)));
  for (const { code, stderr } of results) t.equal(code, 0, stderr);
});

t.test('flags do as well as variables, and a token is needed as before', async (t) => {
  const flags = ['--admin-url', url, '--admin-ca', authority.caFile];
  const pair = ['--admin-cert', client.certFile, '--admin-key', client.keyFile];
  t.equal((await commands.run(['status', ...flags, ...pair])).code, 0);
  t.equal((await commands.run(['status', ...flags, ...pair], { GATEWAY_TOKEN: 'fgw_wrong' })).code, 5);
});

t.test('whom nobody vouches for gets nothing: 1, and one line that says how to mend it', async (t) => {
  const missing = join(gateway.stateDirectory, 'missing.pem');
  const garbage = await commands.file('garbage.pem', 'garbage');
  const cases: [environment: Record<string, string>, line: RegExp][] = [
    [{ GATEWAY_ADMIN_CA: '' }, /certificate at https:\/\/localhost:\d+ is not trusted \(.*--admin-ca/],
    [{ GATEWAY_ADMIN_CA: '', NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' }, /is not trusted/],
    [{ GATEWAY_ADMIN_CA: stranger.caFile }, /is not trusted/],
    [{ GATEWAY_ADMIN_URL: url.replace('localhost', '127.0.0.1') }, /is for another name.*--admin-url/],
    [{ GATEWAY_ADMIN_KEY: '' }, /--admin-cert and --admin-key belong together/],
    [{ GATEWAY_ADMIN_KEY: foreign.keyFile }, /the key is not that of the certificate/],
    [{ GATEWAY_ADMIN_CA: missing }, /--admin-ca: cannot read .*missing\.pem.*ENOENT/],
    [{ GATEWAY_ADMIN_CA: garbage }, /--admin-ca: .*garbage\.pem.*no certificate/],
    [{ GATEWAY_ADMIN_URL: url.replace('https', 'http') }, /give https:\/\/ in --admin-url/],
    [{ GATEWAY_ADMIN_URL: `https://localhost:${plainPort}` }, /does not speak TLS/],
  ];
  const results = await Promise.all(
    cases.map(([more]) => commands.run(['status'], { ...variables, ...more })),
  );
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    const [environment, line] = cases[index] ?? [{}, /$/];
    t.same([code, stdout], [1, ''], JSON.stringify(environment));
    t.match(stderr, line);
    t.equal(linesOf(stderr).length, 1, stderr);
  }
  t.equal(received.length, 0);
});

t.test(
  'who has no certificate of the right authorities is refused: 5, and it is not the token',
  async (t) => {
    for (const more of [
      { GATEWAY_ADMIN_CERT: '', GATEWAY_ADMIN_KEY: '' },
      { GATEWAY_ADMIN_CERT: foreign.certFile, GATEWAY_ADMIN_KEY: foreign.keyFile },
    ]) {
      const { code, stdout, stderr } = await commands.run(['status'], { ...variables, ...more });
      t.same([code, stdout], [5, '']);
      t.match(stderr, /only for clients with a certificate .*--admin-cert and --admin-key\)\n$/);
    }
  },
);

t.test('a token goes to another host over plain http only where that is asked for', async (t) => {
  // To this host, and yet no loopback address.
  const environment = { GATEWAY_ADMIN_URL: `http://0.0.0.0:${plainPort}`, GATEWAY_TOKEN: 'secret' };
  const refused = await commands.run(['status'], environment);
  t.same([refused.code, refused.stdout, received.length], [1, '', 0]);
  t.match(
    refused.stderr,
    /^fengling-gateway: --admin-url .*others could read the token.*--allow-insecure\n$/,
  );
  const unclear = await commands.run(['status'], { ...environment, GATEWAY_ALLOW_INSECURE: 'maybe' });
  t.same([unclear.code, received.length], [1, 0]);
  t.match(unclear.stderr, /GATEWAY_ALLOW_INSECURE is "maybe"/);
  await commands.run(['status', '--allow-insecure'], environment);
  t.equal(received.length, 1);
  await commands.run(['status'], { ...environment, GATEWAY_ALLOW_INSECURE: 'true' });
  t.same(
    received.map(({ headers }) => headers.authorization),
    ['Bearer secret', 'Bearer secret'],
  );
});

t.test(
  'what else can go wrong with TLS is said in its terms, and what has nothing to do with it is not',
  (t) => {
    const explain = (address: string, code: string) =>
      explainTlsFailure(new URL(address), Object.assign(new Error('message'), { code }));
    t.match(explain('https://a.test', 'CERT_HAS_EXPIRED'), /has expired/);
    t.match(explain('https://a.test', 'DEPTH_ZERO_SELF_SIGNED_CERT'), /not trusted/);
    t.match(explain('https://a.test', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), /client certificate/);
    t.match(explain('https://a.test', 'ERR_SSL_WRONG_VERSION_NUMBER'), /does not speak TLS/);
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT']) {
      t.equal(explain('https://a.test', code), null);
      t.equal(explain('http://a.test', code), null);
    }
    t.end();
  },
);
