/**
 * What policies cost: CPU time a request of one gateway (one worker), by the route that the requests go to, in one
 * interleaved run. The same with a route that has none is what they are compared with.
 *
 *   node benchmarks/policies.ts [rounds] [seconds a burst]
 */
import { hash, randomBytes } from 'node:crypto';
import autocannon from 'autocannon';
import type { ConfigurationDocument, Route } from '../lib/core/config/model.ts';
import { median } from './suite/statistics.ts';
import { startGatewayWith, startNginx, startScript } from './support/contender.ts';
import { createSampleToken } from './support/sample-token.ts';

const CONNECTIONS = 64;
const PAUSE_MS = 300;
const AMPLE = 1_000_000_000;
const rounds = Number(process.argv[2] ?? 7);
const seconds = Number(process.argv[3] ?? 2);

const sample = createSampleToken();
const apiKey = `fgk_${randomBytes(32).toString('base64url')}`;

interface Way {
  readonly name: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly policies: Partial<Route>;
}

const auth = { issuers: ['main'], scopes: ['orders.read'] };
const bearer = { authorization: `Bearer ${sample.token}` };
const rateLimits: Route['rateLimits'] = [{ requests: AMPLE, perSec: 60, key: { source: 'clientIp' } }];
const clientAddresses = { allow: ['127.0.0.0/8', '10.0.0.0/8'], deny: ['10.1.2.3'] };
const cors = { origins: ['https://app.example.com'] };
const WAYS: readonly Way[] = [
  { name: 'none', path: '/none', headers: {}, policies: {} },
  { name: 'JWT, known already', path: '/jwt', headers: bearer, policies: { auth } },
  { name: 'API key', path: '/key', headers: { 'x-api-key': apiKey }, policies: { auth: { apiKey: {} } } },
  { name: 'rate limit by address', path: '/rate', headers: {}, policies: { rateLimits } },
  { name: 'addresses', path: '/address', headers: {}, policies: { clientAddresses } },
  { name: 'CORS', path: '/cors', headers: { origin: 'https://app.example.com' }, policies: { cors } },
  { name: 'concurrency limit', path: '/gate', headers: {}, policies: { limits: { maxConcurrent: 1_000 } } },
  {
    name: 'all of them',
    path: '/all',
    headers: { ...bearer, origin: 'https://app.example.com' },
    policies: { auth, rateLimits, clientAddresses, cors, limits: { maxConcurrent: 1_000 } },
  },
];

function configurationFor(originPort: number): ConfigurationDocument {
  const routes = WAYS.map(({ path, policies }) => [
    path.slice(1),
    { match: { path }, cluster: 'origin', ...policies },
  ]);
  return {
    clusters: { origin: { destinations: { origin: { url: `http://127.0.0.1:${originPort}` } } } },
    issuers: { main: sample.issuer },
    consumers: { robot: { apiKeys: [{ hash: `sha256:${hash('sha256', apiKey)}` }] } },
    routes: Object.fromEntries(routes),
  };
}

const origin =
  (await startNginx('origin', 'return 200 "hello world\\n";')) ??
  (await startScript('origin', 'support/origin.ts', 0));
const gateway = await startGatewayWith(configurationFor(origin.port));

/** @returns CPU microseconds a request; NaN where one failed, which must not pass for a quick answer */
async function burst({ path, headers }: Way): Promise<number> {
  const before = gateway.cpuSeconds();
  const url = `http://127.0.0.1:${gateway.port}${path}`;
  const result = await autocannon({ url, headers, connections: CONNECTIONS, duration: seconds });
  const failed = result.errors + result.timeouts + result.non2xx;
  return failed > 0 ? Number.NaN : ((gateway.cpuSeconds() - before) * 1e6) / result.requests.total;
}

const figures = new Map<Way, number[]>(WAYS.map((way) => [way, []]));
for (const way of WAYS) await burst(way);
for (let round = 0; round < rounds; round += 1) {
  for (const way of WAYS) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    figures.get(way)?.push(await burst(way));
  }
}
const [bare] = [...figures.values()];
console.log('| policies | CPU a request, µs: median (minimum) | beyond none, µs, by the medians |');
console.log('|-|-|-|');
for (const [{ name }, values] of figures) {
  const beyond = median(values) - median(bare ?? []);
  console.log(
    `| ${name} | ${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)}) | ${beyond.toFixed(1)} |`,
  );
}
for (const contender of [gateway, origin]) await contender.stop();
