/** Sessions are resumed by any worker, but only for the entry they began with, and never past a client certificate. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { formatRequest } from '../../helpers/raw-client.ts';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';
import { startSecureGateway } from './secure-gateway.ts';
import { createAuthority, type IssuedCertificate } from './test-authority.ts';

const [authority, clients] = await Promise.all([createAuthority(t), createAuthority(t, 'Clients')]);
const [server, alice] = await Promise.all([authority.issue(), clients.issue()]);
const pair = { certFile: server.certFile, keyFile: server.keyFile };
const asking = (mode: 'required' | 'optional') => ({
  ...pair,
  clientCertificate: { mode, caFile: clients.caFile },
});
const gateway = await startSecureGateway(
  t,
  {
    'open.test': pair,
    'other.test': pair,
    'required.test': asking('required'),
    'also.test': asking('required'),
    'optional.test': asking('optional'),
  },
  { workers: 2 },
);

type Version = 'tls1_2' | 'tls1_3';

interface Visit {
  /** Null where the request is not answered. */
  readonly status: number | null;
  readonly resumed: boolean;
}

interface VisitOptions {
  readonly version: Version;
  readonly as?: IssuedCertificate;
  /** Where a session is taken from, and where the new one is put. */
  readonly from?: string;
  readonly to?: string;
}

const sessions = await createTemporaryDirectory(t);
let lastSession = 0;

/** One request by `openssl`, which offers any session to any host; Node's client does not. */
async function visit(servername: string, options: VisitOptions): Promise<Visit> {
  const { version, as, from, to } = options;
  const words = [
    's_client',
    `-${version}`,
    '-connect',
    `127.0.0.1:${gateway.port}`,
    '-servername',
    servername,
  ];
  if (as !== undefined) words.push('-cert', as.certFile, '-key', as.keyFile);
  if (from !== undefined) words.push('-sess_in', from);
  if (to !== undefined) words.push('-sess_out', to);
  const output = await new Promise<string>((resolve) => {
    const client = execFile('openssl', [...words, '-ign_eof'], { timeout: 10_000 }, (_error, stdout) =>
      resolve(stdout),
    );
    client.stdin?.on('error', () => {});
    client.stdin?.end(formatRequest('GET', '/', { Host: servername, Connection: 'close' }));
  });
  const status = /^HTTP\/1\.1 (\d+)/m.exec(output)?.[1];
  return { status: status === undefined ? null : Number(status), resumed: /^Reused, /m.test(output) };
}

/** Begins a session and keeps it in a file; undefined where the gateway gives none. */
async function begin(
  servername: string,
  version: Version,
  as?: IssuedCertificate,
): Promise<string | undefined> {
  const to = join(sessions, String(++lastSession));
  const { status, resumed } = await visit(servername, { version, to, ...(as === undefined ? {} : { as }) });
  if (status !== 200 || resumed) throw new Error(`no session of ${servername}`);
  return existsSync(to) ? to : undefined;
}

const withSession = (from: string | undefined) => (from === undefined ? {} : { from });

for (const version of ['tls1_2', 'tls1_3'] as const) {
  t.test(`${version}: whichever worker is next, it resumes what another began`, async (t) => {
    const from = await begin('open.test', version);
    t.ok(from);
    for (let attempt = 0; attempt < 4; attempt += 1)
      t.same(await visit('open.test', { version, ...withSession(from) }), { status: 200, resumed: true });
  });

  t.test(`${version}: a session is good for the entry that it began with only`, async (t) => {
    const from = await begin('open.test', version);
    t.same(await visit('other.test', { version, ...withSession(from) }), { status: 200, resumed: false });
  });

  t.test(`${version}: no session leads to a host that requires a certificate`, async (t) => {
    const from = await begin('open.test', version);
    const options = { version, ...withSession(from) };
    t.match(await visit('required.test', options), { status: null, resumed: false });
    t.same(await visit('required.test', { ...options, as: alice }), { status: 200, resumed: false });
  });

  t.test(`${version}: what was begun with a certificate is resumed nowhere`, async (t) => {
    for (const name of ['required.test', 'optional.test']) {
      const options = { version, ...withSession(await begin(name, version, alice)) };
      for (const other of ['required.test', 'also.test'])
        t.same(await visit(other, options), { status: null, resumed: false }, `${name}, then ${other}`);
      for (const other of ['optional.test', 'open.test'])
        t.same(await visit(other, options), { status: 200, resumed: false }, `${name}, then ${other}`);
      t.same(await visit(name, { ...options, as: alice }), { status: 200, resumed: false });
    }
  });
}

t.test('a session that began before its host asked for certificates is not resumed any more', async (t) => {
  const options = { version: 'tls1_3', ...withSession(await begin('open.test', 'tls1_3')) } as const;
  await gateway.putCertificates({ 'open.test': asking('required'), 'other.test': pair });
  t.same(await visit('open.test', options), { status: null, resumed: false });
  t.same(await visit('open.test', { ...options, as: alice }), { status: 200, resumed: false });
});
