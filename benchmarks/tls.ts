/**
 * What TLS costs: CPU time of the gateway (one worker) and nginx, a request on kept connections and a new
 * connection with one request, in one interleaved run. X25519 for both, as nginx may not know the newer group.
 *
 *   node benchmarks/tls.ts [rounds] [connections a burst]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import { median } from './suite/statistics.ts';
import {
  type Contender,
  hasNginx,
  startGatewayWith,
  startNginx,
  startNginxWith,
  startScript,
} from './support/contender.ts';

const PARALLEL = 8;
const KEPT_REQUESTS = 200;
const PAUSE_MS = 300;
const rounds = Number(process.argv[2] ?? 5);
const connectionsPerBurst = Number(process.argv[3] ?? 400);

const KEYS = {
  'ecdsa.test': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  'rsa.test': ['-newkey', 'rsa:2048'],
} as const;
type Host = keyof typeof KEYS;

const directory = mkdtempSync(join(tmpdir(), 'gateway-benchmark-'));
for (const [host, options] of Object.entries(KEYS)) {
  const files = ['-keyout', join(directory, `${host}.key`), '-out', join(directory, `${host}.pem`)];
  const words = ['req', '-x509', '-nodes', '-days', '2', '-subj', `/CN=${host}`, ...options, ...files];
  execFileSync('openssl', words, { stdio: 'ignore' });
}

interface Way {
  readonly name: string;
  readonly host: Host;
  readonly requestsPerConnection: number;
  readonly resumes: boolean;
  readonly options?: ConnectionOptions;
}

const WAYS: readonly Way[] = [
  {
    name: 'a request, connection kept',
    host: 'ecdsa.test',
    requestsPerConnection: KEPT_REQUESTS,
    resumes: false,
  },
  { name: 'a connection, ECDSA P-256', host: 'ecdsa.test', requestsPerConnection: 1, resumes: false },
  { name: 'a connection, RSA-2048', host: 'rsa.test', requestsPerConnection: 1, resumes: false },
  { name: 'a connection, resumed', host: 'ecdsa.test', requestsPerConnection: 1, resumes: true },
  {
    name: 'a connection, ECDSA P-256, TLS 1.2',
    host: 'ecdsa.test',
    requestsPerConnection: 1,
    resumes: false,
    options: { maxVersion: 'TLSv1.2' },
  },
];

const certificates = Object.fromEntries(
  Object.keys(KEYS).map((host) => [
    host,
    { certFile: join(directory, `${host}.pem`), keyFile: join(directory, `${host}.key`) },
  ]),
);

function startGateway(originPort: number): Promise<Contender> {
  const cluster = { destinations: { origin: { url: `http://127.0.0.1:${originPort}` } } };
  const route = { match: { path: '/{**rest}' }, cluster: 'origin' };
  const configuration = { clusters: { origin: cluster }, certificates, routes: { all: route } };
  return startGatewayWith(configuration, 1, { tls: true });
}

/** Null where nginx is not installed. */
async function startTlsNginx(originPort: number): Promise<Contender | null> {
  if (!hasNginx()) return null;
  return startNginxWith('nginx', (port) => {
    const servers = Object.entries(certificates).map(
      ([host, { certFile, keyFile }]) => `server { listen 127.0.0.1:${port} ssl; server_name ${host};
        ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};
        location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
          proxy_set_header X-Forwarded-For $remote_addr; } }`,
    );
    return `access_log off; ssl_protocols TLSv1.2 TLSv1.3;
      upstream origin { server 127.0.0.1:${originPort}; keepalive 256; } ${servers.join('\n')}`;
  });
}

/** One connection with its requests, one after the other. @returns the session that it was given */
function converse(port: number, way: Way, session: Buffer | undefined): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let given: Buffer | undefined;
    let left = way.requestsPerConnection;
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: way.host,
      rejectUnauthorized: false,
      ecdhCurve: 'X25519:prime256v1',
      ...way.options,
      ...(session === undefined ? {} : { session }),
    });
    const ask = () => socket.write(`GET / HTTP/1.1\r\nHost: ${way.host}\r\n\r\n`);
    socket.once('secureConnect', () => {
      if (session !== undefined && !socket.isSessionReused()) reject(new Error('not resumed'));
      ask();
    });
    socket.on('session', (newest: Buffer) => {
      given = newest;
    });
    socket.on('data', (bytes: Buffer) => {
      // The answer is small: it comes whole.
      if (!bytes.toString('latin1').startsWith('HTTP/1.1 200')) reject(new Error(bytes.toString('latin1')));
      left -= 1;
      if (left > 0) ask();
      else socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(given));
  });
}

/** CPU time for each request or connection, in µs. */
async function burst(contender: Contender, way: Way): Promise<number> {
  const count = way.requestsPerConnection > 1 ? PARALLEL * 4 : connectionsPerBurst;
  const session = way.resumes ? await converse(contender.port, way, undefined) : undefined;
  const before = contender.cpuSeconds();
  let begun = 0;
  const run = async () => {
    while (begun < count) {
      begun += 1;
      await converse(contender.port, way, session);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, run));
  return ((contender.cpuSeconds() - before) * 1e6) / (count * way.requestsPerConnection);
}

const origin =
  (await startNginx('origin', 'return 200 "hello world\\n";')) ??
  (await startScript('origin', 'support/origin.ts', 0));
const contenders = [await startGateway(origin.port), await startTlsNginx(origin.port)].filter(
  (contender) => contender !== null,
);
const results = new Map(WAYS.map((way) => [way, new Map(contenders.map((one) => [one, [] as number[]]))]));
for (let round = -1; round < rounds; round += 1) {
  for (const [way, byContender] of results) {
    for (const [contender, values] of byContender) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const value = await burst(contender, way);
      // The first round warms up.
      if (round >= 0) values.push(value);
    }
  }
}
console.log(`| CPU, µs: median (minimum) | ${contenders.map(({ name }) => name).join(' | ')} |`);
console.log(`|-|${contenders.map(() => '-|').join('')}`);
for (const [way, byContender] of results) {
  const cells = [...byContender.values()].map(
    (values) => `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)})`,
  );
  console.log(`| ${way.name} | ${cells.join(' | ')} |`);
}
for (const contender of [...contenders, origin]) await contender.stop();
rmSync(directory, { recursive: true, force: true });
