/** Materials end to end: a gateway whose origin has a certificate of a private authority, and what it says of it. */
import { once } from 'node:events';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { InstanceStatus } from '../../../lib/admin/control-plane.ts';
import { AdminClient } from '../../helpers/admin-client.ts';
import { createCertificate } from '../../helpers/certificate.ts';
import { eventually } from '../../helpers/eventually.ts';
import { runGatewayCommand } from '../../helpers/gateway-command.ts';
import { startGateway } from '../../helpers/gateway-process.ts';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';
import { get, waitForMetrics } from '../../helpers/worker-processes.ts';

const authority = await createCertificate(t);
const other = await createCertificate(t);
const origin = createServer({ key: authority.key, cert: authority.cert }, (_request, response) => {
  // A connection a request, so that each is verified anew.
  response.writeHead(200, { connection: 'close' }).end('hello');
});
origin.listen(0, '127.0.0.1');
await once(origin, 'listening');
t.teardown(() => origin.close());
const originUrl = `https://localhost:${(origin.address() as AddressInfo).port}`;

const directory = await createTemporaryDirectory(t);
const caFile = join(directory, 'ca.pem');
const gateway = await startGateway(t, {
  workers: 2,
  environment: { LISTENER_CERTIFICATE: other.cert, LISTENER_KEY: other.key },
  config: {
    clusters: { c: { destinations: { only: { url: originUrl } }, tls: { caFile } } },
    routes: { r: { match: { path: '/' }, cluster: 'c' } },
    certificates: { 'www.example.com': { certEnv: 'LISTENER_CERTIFICATE', keyEnv: 'LISTENER_KEY' } },
  },
});
const admin = new AdminClient(() => gateway.adminPort, gateway.stateDirectory);

async function materials(): Promise<InstanceStatus['materials']> {
  const { text } = await admin.call('GET', 'status');
  return (JSON.parse(text) as InstanceStatus).materials;
}

/** Asks often enough that each worker answers, until all answers have this status. */
async function untilAnswered(status: number): Promise<void> {
  await eventually(async () => {
    for (let count = 0; count < 4; count += 1) {
      const answer = await get(gateway.port, '/');
      if (answer.status !== status) throw new Error(`it answers ${answer.startLine}`);
    }
  });
}

async function replaceAuthority(file: string): Promise<void> {
  await copyFile(file, `${caFile}.new`);
  await rename(`${caFile}.new`, caFile);
}

t.test('a file that is missing is named in status, command, log and metrics', async (t) => {
  t.match(await materials(), [{ name: `file:${caFile}`, problem: /ENOENT/, since: /^\d{4}-/ }]);
  const environment = {
    GATEWAY_ADMIN_URL: `http://127.0.0.1:${gateway.adminPort}`,
    GATEWAY_STATE: gateway.stateDirectory,
  };
  const { stdout } = await runGatewayCommand(['status'], environment, 30_000);
  t.match(stdout, new RegExp(`^material +file:${caFile}: cannot read .*ENOENT`, 'm'));
  t.match(await gateway.waitForLog(({ msg }) => msg?.startsWith('materials cannot be got') === true), {
    level: 'error',
    count: 1,
  });
  await waitForMetrics(gateway, (seen) => seen.get('gateway_materials{state="missing"}') === 1);
  await untilAnswered(502);
});

t.test('a file that comes, and one that is replaced, reach every worker', async (t) => {
  await replaceAuthority(authority.caFile);
  await untilAnswered(200);
  t.same(await materials(), []);
  await replaceAuthority(other.caFile);
  await untilAnswered(502);
  await replaceAuthority(authority.caFile);
  await untilAnswered(200);
});

t.test('a worker that starts later has it as well', async (t) => {
  await writeFile(caFile, 'garbage');
  await waitForMetrics(gateway, (seen) => seen.get('gateway_materials{state="stale"}') === 1);
  const { status } = await admin.call('POST', 'workers/restart');
  t.equal(status, 202);
  await gateway.waitForNextLog(({ msg }) => msg === 'workers restarted', 30_000);
  await untilAnswered(200);
});

t.test('the end of a certificate of the listener is a metric', async (t) => {
  const metrics = await gateway.metrics();
  const endsAtSec =
    metrics.get('gateway_certificate_expiry_timestamp_seconds{id="www.example.com",kind="certificate"}') ?? 0;
  t.equal(Math.round((endsAtSec - Date.now() / 1_000) / 86_400), 2);
  await gateway.waitForLog(({ msg }) => msg === 'certificates will expire');
});
