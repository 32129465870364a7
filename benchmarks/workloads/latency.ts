import { loadOverHttp } from '../suite/autocannon-load.ts';
import { loadAtRate } from '../suite/open-loop.ts';
import type { Entrant, Workload } from '../suite/workload.ts';
import type { Contender } from '../support/contender.ts';

const CONNECTIONS = 64;
const SHARE = 0.7;
const PROBE_SECONDS = 1.5;
const REQUEST = Buffer.from('GET /r0/any HTTP/1.1\r\nHost: gateway.test\r\n\r\n');

export const latency: Workload = {
  name: 'latency',
  title: 'Latency at 70 % load',
  description:
    'Small GET at a steady rate over 64 kept connections, due whether the last one is answered or not: 70 % of what ' +
    'the contender did just before when it was asked as fast as autocannon can, which is less than nginx can do. ' +
    'At such a rate the load generator has waits of its own, so nginx is asked at the rate of the gateway as well.',
  targets: [
    { measure: 'p99', of: 'gateway', to: 'nginx', most: 2 },
    { measure: 'p99', of: 'gateway', to: 'nginx, same rate', most: 2 },
  ],
  async enter(bench) {
    const { contenders, leftOut } = await bench.field();
    const [gateway, nginx] = ['gateway', 'nginx'].map((name) => contenders.find((one) => one.name === name));
    const entrants: Entrant[] = [];
    if (gateway === undefined) return { entrants, leftOut };
    const rate = await shareOfMost(gateway);
    entrants.push(paced(gateway, gateway.name, rate));
    if (nginx === undefined) return { entrants, leftOut };
    const ownRate = await shareOfMost(nginx);
    entrants.push(paced(nginx, 'nginx', ownRate), paced(nginx, 'nginx, same rate', rate));
    return { entrants, leftOut };
  },
};

/** @returns requests a second; what comes before the probe warms up */
async function shareOfMost({ port }: Contender): Promise<number> {
  const load = { port, connections: CONNECTIONS, paths: ['/r0/any'] };
  await loadOverHttp(load, PROBE_SECONDS / 2);
  const { requests, seconds } = await loadOverHttp(load, PROBE_SECONDS);
  return (SHARE * requests) / seconds;
}

function paced(contender: Contender, name: string, requestsPerSecond: number): Entrant {
  const pace = { connections: CONNECTIONS, requestsPerSecond };
  return { name, contender, load: (seconds) => loadAtRate(contender.port, REQUEST, pace, seconds) };
}
