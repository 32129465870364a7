/** TLS of the admin listener as the gateway is started with it, and its files as they change. */

import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { eventually } from '../helpers/eventually.ts';
import { runGatewayCommand } from '../helpers/gateway-command.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { formatRequest, request } from '../helpers/raw-client.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { createAuthority, replaceWith } from '../proxy/tls/test-authority.ts';

const authority = await createAuthority(t);
const [served, second, third] = await Promise.all([
  authority.issue({ names: ['gateway.test'], subject: '/CN=first' }),
  authority.issue({ names: ['gateway.test'], subject: '/CN=second', key: 'rsa' }),
  authority.issue({ names: ['gateway.test'], subject: '/CN=third' }),
]);
const directory = await createTemporaryDirectory(t);
const garbage = join(directory, 'garbage.pem');
await writeFile(garbage, 'garbage');

t.test('settings and files that cannot work end the start with 1 and one line', async (t) => {
  const missing = join(directory, 'missing.pem');
  const { certFile, keyFile } = served;
  const cases: [flags: string[], line: RegExp][] = [
    [['--admin-tls-cert', certFile], /--admin-tls-cert and --admin-tls-key belong together/],
    [['--admin-tls-key', keyFile], /belong together/],
    [['--admin-tls-client-ca', authority.caFile], /needed for --admin-tls-client-ca/],
    [['--admin-tls-cert', missing, '--admin-tls-key', keyFile], /cannot read .*missing\.pem.*ENOENT/],
    [['--admin-tls-cert', garbage, '--admin-tls-key', keyFile], /TLS of --admin with .*garbage\.pem/],
    [
      ['--admin-tls-cert', certFile, '--admin-tls-key', second.keyFile],
      /the key is not that of the certificate/,
    ],
    [
      ['--admin-tls-cert', certFile, '--admin-tls-key', keyFile, '--admin-tls-client-ca', garbage],
      /garbage\.pem: there is no certificate in it/,
    ],
  ];
  const results = await Promise.all(
    cases.map(([flags], index) => {
      const places = ['--state', join(directory, `state-${index}`), '--log-level', 'silent'];
      const ports = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
      return runGatewayCommand(['start', ...places, ...ports, ...flags], {}, 60_000);
    }),
  );
  for (const [index, { code, stderr }] of results.entries()) {
    const [flags, line] = cases[index] ?? [[], /$/];
    const lines = stderr.split('\n').filter((text) => text !== '' && !text.startsWith('(gateway --help'));
    t.same([code, lines.length], [1, 1], flags.join(' '));
    t.match(stderr, line);
  }
});

t.test('with TLS others may reach it; its files are read again when they change', async (t) => {
  const gateway = await startGateway(t, {
    admin: '0.0.0.0:0',
    environment: { GATEWAY_ADMIN_TLS_CERT: served.certFile, GATEWAY_ADMIN_TLS_KEY: served.keyFile },
  });
  const tls = { ca: authority.ca, servername: 'gateway.test' };
  const shown = async () => {
    const socket = connectTls({ port: gateway.adminPort, host: '127.0.0.1', ...tls });
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  const mustShow = async (name: string) => {
    const found = await shown();
    if (found !== name) throw new Error(`it shows ${found} instead of ${name}`);
  };
  t.equal((await request(gateway.adminPort, formatRequest('GET', '/readyz'), { tls })).status, 200);
  t.equal(await shown(), 'first');
  await replaceWith(served.certFile, second.certFile);
  await replaceWith(served.keyFile, second.keyFile);
  await eventually(() => mustShow('second'));

  const isKept = ({ msg }: { msg?: unknown }) => msg === 'the admin listener keeps its former certificate';
  await Promise.all([gateway.waitForNextLog(isKept), replaceWith(served.certFile, garbage)]);
  t.equal(await shown(), 'second');
  await Promise.all([gateway.waitForNextLog(isKept), rm(served.certFile)]);
  t.equal(await shown(), 'second');
  await replaceWith(served.keyFile, third.keyFile);
  await replaceWith(served.certFile, third.certFile);
  await eventually(() => mustShow('third'));
  // Each problem was said once, however often the files were looked at; with the half of a new pair it is one more.
  t.ok(gateway.logs.filter(isKept).length <= 4);
  t.notMatch(JSON.stringify(gateway.logs), 'PRIVATE KEY');
});
