/**
 * CPU time a request of the gateway (one worker), nginx and http-proxy-3, in one interleaved run: short
 * bursts in turn with pauses between them, so that all meet the same noise.
 *
 *   node benchmarks/cpu-per-request.ts [rounds] [seconds a burst]
 */
import autocannon from 'autocannon';
import { type Contender, startGateway, startNginx, startScript } from './support/contender.ts';

const CONNECTIONS = 64;
const PAUSE_MS = 500;
const rounds = Number(process.argv[2] ?? 7);
const seconds = Number(process.argv[3] ?? 3);

interface Burst {
  readonly microsecondsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  readonly failed: number;
}

async function burst(contender: Contender): Promise<Burst> {
  const before = contender.cpuSeconds();
  const result = await autocannon({
    url: `http://127.0.0.1:${contender.port}/`,
    connections: CONNECTIONS,
    duration: seconds,
  });
  const cpuSeconds = contender.cpuSeconds() - before;
  const requests = result.requests.total;
  return {
    microsecondsPerRequest: (cpuSeconds * 1e6) / requests,
    requestsPerSecond: requests / seconds,
    p99Ms: result.latency.p99,
    failed: result.errors + result.timeouts + result.non2xx,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const origin =
  (await startNginx('origin', 'return 200 "hello world\\n";')) ??
  (await startScript('origin', 'support/origin.ts', 0));
const upstream = `upstream origin { server 127.0.0.1:${origin.port}; keepalive 256; }`;
const location =
  'proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr;';
const contenders = [
  await startGateway(origin.port),
  await startNginx('nginx', location, upstream),
  await startScript('http-proxy-3', 'support/http-proxy-3.ts', origin.port),
].filter((contender) => contender !== null);

const bursts = new Map<Contender, Burst[]>(contenders.map((contender) => [contender, []]));
for (const contender of contenders) await burst(contender);
for (let round = 0; round < rounds; round += 1) {
  for (const contender of contenders) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    bursts.get(contender)?.push(await burst(contender));
  }
}

const gatewayCpu = median(bursts.get(contenders[0]!)?.map((each) => each.microsecondsPerRequest) ?? []);
console.log(
  '| | CPU a request, µs: median (minimum) | gateway / this | requests a second, median | p99 ms, median | failed |',
);
console.log('|-|-|-|-|-|-|');
for (const [contender, results] of bursts) {
  const cpu = results.map((each) => each.microsecondsPerRequest);
  const cells = [
    contender.name,
    `${median(cpu).toFixed(0)} (${Math.min(...cpu).toFixed(0)})`,
    (gatewayCpu / median(cpu)).toFixed(2),
    median(results.map((each) => each.requestsPerSecond)).toFixed(0),
    median(results.map((each) => each.p99Ms)).toFixed(0),
    results.reduce((sum, each) => sum + each.failed, 0),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
for (const contender of [...contenders, origin]) await contender.stop();
