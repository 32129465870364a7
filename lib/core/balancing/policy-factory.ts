import type { LoadBalancingPolicyName } from '../config/model.ts';
import type { ActiveLoad } from './active-load.ts';
import type { BalancerEnvironment } from './balancer-environment.ts';
import type { BalancingPolicy } from './balancing-policy.ts';
import { ConsistentHashPolicy } from './consistent-hash-policy.ts';
import { LeastRequestsPolicy } from './least-requests-policy.ts';
import { PeakEwmaPolicy } from './peak-ewma-policy.ts';
import { PowerOfTwoChoicesPolicy } from './power-of-two-choices-policy.ts';
import { RandomPolicy } from './random-policy.ts';
import { RoundRobinPolicy } from './round-robin-policy.ts';
import { WeightedRoundRobinPolicy } from './weighted-round-robin-policy.ts';

/**
 * Makes the policy of that name, without destinations yet.
 *
 * @param loadBound at most this times the mean load goes to a destination, with consistent hashing
 * @param load the requests in flight to the usable destinations, kept up to date by the caller
 */
export function createBalancingPolicy(
  name: LoadBalancingPolicyName,
  environment: BalancerEnvironment,
  loadBound: number,
  load: ActiveLoad,
): BalancingPolicy {
  const random = () => environment.random();
  switch (name) {
    case 'powerOfTwoChoices':
      return new PowerOfTwoChoicesPolicy(random);
    case 'roundRobin':
      return new RoundRobinPolicy(environment.workerOffset);
    case 'weightedRoundRobin':
      return new WeightedRoundRobinPolicy(environment.workerOffset);
    case 'random':
      return new RandomPolicy(random);
    case 'leastRequests':
      return new LeastRequestsPolicy(environment.workerOffset);
    case 'consistentHash':
      return new ConsistentHashPolicy(loadBound, load);
    case 'peakEwma':
      return new PeakEwmaPolicy(random, () => environment.nowMs());
  }
}
