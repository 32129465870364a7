/**
 * Measures what one request costs in the balancer, by policy and number of destinations:
 *
 *     node benchmarks/balancer-pick.ts
 *
 * "pick" is the first pick of a request; "request" is pick, begin and end with up to 64 requests in
 * flight; "change" is one change of health together with the pick that follows it.
 */
import { Balancer } from '../lib/core/balancing/balancer.ts';
import { DestinationState } from '../lib/core/balancing/destination-state.ts';
import { hashString } from '../lib/core/balancing/hash.ts';
import { LOAD_BALANCING_POLICIES } from '../lib/core/config/cluster-schema.ts';
import type { LoadBalancingPolicyName } from '../lib/core/config/model.ts';

const COUNTS = [3, 100, 10_000];
const IN_FLIGHT = 64;
const MEASURE_MS = 300;
const ROUNDS = 5;

const hashes = Uint32Array.from({ length: 4_096 }, (_, index) => hashString(`user-${index}`));

/** Runs `batch` of `size` operations for a while, several times; returns the nanoseconds of one, in the best round. */
function measure(size: number, batch: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    let operations = 0;
    const endMs = performance.now() + MEASURE_MS / ROUNDS;
    const before = process.threadCpuUsage();
    while (performance.now() < endMs) {
      batch();
      operations += size;
    }
    const used = process.threadCpuUsage(before);
    best = Math.min(best, ((used.user + used.system) * 1e3) / operations);
  }
  return best;
}

function createBalancer(policy: LoadBalancingPolicyName, count: number): Balancer<DestinationState> {
  const balancer = new Balancer<DestinationState>({
    random: Math.random,
    nowMs: () => performance.now(),
    workerOffset: 1,
  });
  const destinations = Array.from({ length: count }, (_, index) => {
    return new DestinationState(`orders-${index}`, 1 + (index % 4));
  });
  balancer.configure({ policy }, destinations);
  return balancer;
}

function measurePick(balancer: Balancer<DestinationState>): number {
  return measure(256, () => {
    for (let index = 0; index < 256; index++) balancer.pick(hashes[index]!, null);
  });
}

function measureRequest(balancer: Balancer<DestinationState>): number {
  const inFlight: DestinationState[] = [];
  let request = 0;
  const send = () => {
    const picked = balancer.pick(hashes[request & 4_095]!, null)!;
    balancer.begin(picked);
    inFlight[request % IN_FLIGHT] = picked;
    request += 1;
  };
  while (request < IN_FLIGHT) send();
  return measure(256, () => {
    for (let index = 0; index < 256; index++) {
      balancer.end(inFlight[request % IN_FLIGHT]!, 20);
      send();
    }
  });
}

function measureChange(balancer: Balancer<DestinationState>): number {
  let isHealthy = true;
  return measure(1, () => {
    isHealthy = !isHealthy;
    balancer.setHealth('orders-1', isHealthy);
    balancer.pick(hashes[0]!, null);
  });
}

console.log('nanoseconds of CPU time, best of', ROUNDS, 'rounds');
console.log(
  `${'policy'.padEnd(20)}${'destinations'.padStart(14)}${'pick'.padStart(10)}${'request'.padStart(10)}${'change'.padStart(14)}`,
);
for (const policy of LOAD_BALANCING_POLICIES) {
  for (const count of COUNTS) {
    const pickNs = measurePick(createBalancer(policy, count));
    const requestNs = measureRequest(createBalancer(policy, count));
    const changeNs = measureChange(createBalancer(policy, count));
    const figures = [pickNs, requestNs].map((ns) => ns.toFixed(0).padStart(10)).join('');
    console.log(
      `${policy.padEnd(20)}${String(count).padStart(14)}${figures}${changeNs.toFixed(0).padStart(14)}`,
    );
  }
}
