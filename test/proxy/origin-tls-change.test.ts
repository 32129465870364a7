/** What a cluster's `tls` refers to changes under traffic: nothing is restarted, and what stays valid does not fail. */
import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { OriginTls } from '../../lib/core/config/model.ts';
import { eventually } from '../helpers/eventually.ts';
import { type GatewayProcess, startGateway } from '../helpers/gateway-process.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { type SecureOrigin, startSecureOrigin, successOf, tryWay, WAYS } from './secure-origin.ts';
import { createAuthority, replaceWith } from './tls/test-authority.ts';

const [first, second] = await Promise.all([createAuthority(t, 'first'), createAuthority(t, 'second')]);
const [servedByFirst, servedBySecond] = await Promise.all([
  first.issue({ names: ['localhost'] }),
  second.issue({ names: ['localhost'] }),
]);
const directory = await createTemporaryDirectory(t);
const names = (name: string) => join(directory, name);

/** Two workers in front of an origin, whose every answer closes its connection: each request makes a new one. */
async function start(
  t: Test,
  origin: SecureOrigin,
  tls: OriginTls,
  probed: SecureOrigin = origin,
): Promise<GatewayProcess> {
  origin.keepsAlive = false;
  probed.keepsAlive = false;
  return startGateway(t, {
    workers: 2,
    accessLog: 'off',
    config: configurationOf(origin, probed, tls),
  });
}

function configurationOf(origin: SecureOrigin, probed: SecureOrigin, tls: OriginTls, timeouts = {}) {
  const clusterOf = ({ url }: SecureOrigin) => ({
    destinations: { only: { url } },
    retry: { attempts: 1 },
    timeouts,
    tls,
  });
  return {
    clusters: { main: clusterOf(origin), probed: clusterOf(probed) },
    routes: {
      all: { match: { path: '/{**rest}' }, cluster: 'main' },
      probe: { match: { path: '/probe' }, cluster: 'probed' },
    },
  };
}

const isStale = ({ msg }: { readonly msg?: unknown }) =>
  String(msg).startsWith('materials cannot be got anew');

interface Traffic {
  /** Waits until what is under way now is over, and so has all that it was to be sent with. */
  pass(): Promise<void>;
  /** Gives what went wrong, and how many requests there were. */
  stop(): Promise<{ failures: string[]; count: number }>;
}

/** Sends requests on all ways, one after the other, over and over. */
function keepSending(port: number): Traffic {
  const failures: string[] = [];
  let count = 0;
  let stopping = false;
  const running = (async () => {
    while (!stopping) {
      for (const way of WAYS) {
        count += 1;
        const outcome = await tryWay(port, way, '/').catch((error: Error) => [error.message]);
        if (outcome[0] !== successOf(way)[0]) failures.push(`${way}: ${outcome.join(' ')}`);
      }
    }
  })();
  return {
    pass: async () => {
      const before = count;
      await eventually(() => {
        if (count < before + 2) throw new Error(`${count} requests: the one before is still under way`);
      });
    },
    stop: async () => {
      stopping = true;
      await running;
      return { failures, count };
    },
  };
}

/**
 * Waits until every worker has what one of them has shown to have. A worker that stands still may have a request from
 * before under way, and be asked for no other meanwhile; the sample that it gives comes behind what it was sent.
 */
async function allWorkersHaveIt(gateway: GatewayProcess, traffic: Traffic): Promise<void> {
  await gateway.metrics();
  await traffic.pass();
}

/** Every way, more often than there are workers in a row: they take turns. */
async function tryAll(port: number, path = '/'): Promise<string[]> {
  const outcomes: string[] = [];
  for (const way of WAYS) {
    for (let turn = 0; turn < 2; turn += 1) outcomes.push((await tryWay(port, way, path)).join(' '));
  }
  return outcomes;
}

const ALL_WELL = ['200', '200', '200', '200', '101', '101'];
const ALL_REFUSED = Array(6).fill('502 GW_ERR_UPSTREAM_TLS');

function mustBe(outcomes: readonly string[], expected: readonly string[]): void {
  if (outcomes.join() !== expected.join()) throw new Error(`${outcomes} instead of ${expected}`);
}

t.test('an authority is replaced by another under traffic, and no request fails', async (t) => {
  const caFile = names('authority.pem');
  await writeFile(caFile, first.ca);
  const origin = await startSecureOrigin(t, pairOf(servedByFirst));
  const probed = await startSecureOrigin(t, pairOf(servedBySecond));
  const gateway = await start(t, origin, { caFile }, probed);
  const traffic = keepSending(gateway.port);
  t.same(await tryAll(gateway.port, '/probe'), ALL_REFUSED);
  await replace(caFile, first.ca + second.ca);
  // Now all workers know both.
  await eventually(async () => mustBe(await tryAll(gateway.port, '/probe'), ALL_WELL));
  await allWorkersHaveIt(gateway, traffic);
  origin.renew(pairOf(servedBySecond));
  probed.renew(pairOf(servedByFirst));
  await replace(caFile, second.ca);
  await eventually(async () => mustBe(await tryAll(gateway.port, '/probe'), ALL_REFUSED));
  const { failures, count } = await traffic.stop();
  t.same(failures, []);
  t.ok(count > 30, `${count} requests`);
});

t.test('a client certificate is renewed, its key a while later, and no request fails', async (t) => {
  const [one, two] = await Promise.all([
    first.issue({ subject: '/CN=one' }),
    first.issue({ subject: '/CN=two', key: 'rsa' }),
  ]);
  const origin = await startSecureOrigin(t, {
    ...pairOf(servedByFirst),
    ca: first.ca,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const { certFile, keyFile } = one;
  const gateway = await start(t, origin, { caFile: first.caFile, certFile, keyFile });
  const traffic = keepSending(gateway.port);
  await replaceWith(certFile, two.certFile);
  const { problems } = await gateway.waitForLog(isStale);
  t.match(problems, [/the key is not that of the certificate/, /the key is not that of the certificate/]);
  t.equal(origin.requests.at(-1)?.clientName, 'one', 'the former pair is shown meanwhile');
  await replaceWith(keyFile, two.keyFile);
  await eventually(async () => {
    const seen = origin.requests.length;
    mustBe(await tryAll(gateway.port), ALL_WELL);
    const shown = new Set(origin.requests.slice(seen).map(({ clientName }) => clientName));
    if (shown.has('one')) throw new Error('the former certificate is still shown');
  });
  await allWorkersHaveIt(gateway, traffic);
  const { failures } = await traffic.stop();
  t.same(failures, []);
  t.equal(origin.requests.at(-1)?.clientName, 'two');
});

t.test('a file that is missing: 502 until it is there, and no matter when it goes again', async (t) => {
  const caFile = names('late.pem');
  const origin = await startSecureOrigin(t, pairOf(servedByFirst));
  const gateway = await start(t, origin, { caFile });
  t.same(await tryAll(gateway.port), ALL_REFUSED);
  t.equal(origin.handshakes, 0);
  await writeFile(caFile, first.ca);
  await eventually(async () => mustBe(await tryAll(gateway.port), ALL_WELL));
  const gone = gateway.waitForNextLog(isStale);
  await unlink(caFile);
  await gone;
  t.same(await tryAll(gateway.port), ALL_WELL);
  const changed = gateway.waitForNextLog(isStale);
  await writeFile(caFile, 'garbage');
  const traffic = keepSending(gateway.port);
  t.match(await changed, { level: 'warn', problems: [/late\.pem: cannot be used: there is no certificate/] });
  t.same((await traffic.stop()).failures, []);
  t.same(await tryAll(gateway.port), ALL_WELL, 'garbage does not take the place of what is good');
  await gateway.applyConfig(configurationOf(origin, origin, { caFile }, { connectMs: 4_321 }));
  t.same(await tryAll(gateway.port), ALL_WELL, 'also when the cluster changes otherwise');
});

function pairOf({ cert, key }: { readonly cert: string; readonly key: string }) {
  return { cert, key };
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.text`, text);
  await replaceWith(file, `${file}.text`);
}
