import type { BalancerEnvironment } from '../../../lib/core/balancing/balancer-environment.ts';
import type { BalancingPolicy } from '../../../lib/core/balancing/balancing-policy.ts';
import { DestinationState } from '../../../lib/core/balancing/destination-state.ts';

/** A random source that gives the same numbers for the same seed (mulberry32). */
export function createSeededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A random source that gives the listed numbers, then fails. */
export function createScriptedRandom(...numbers: number[]): () => number {
  return () => {
    const next = numbers.shift();
    if (next === undefined) throw new Error('a random number was drawn that the script does not have');
    return next;
  };
}

/** An environment with a clock that only moves when told. */
export function createEnvironment(workerOffset = 0, seed = 1) {
  const clock = { nowMs: 0 };
  const environment: BalancerEnvironment = {
    random: createSeededRandom(seed),
    nowMs: () => clock.nowMs,
    workerOffset,
  };
  return { environment, clock };
}

/** Destinations named a, b, c, … with the given weights. */
export function createDestinations(...weights: number[]): DestinationState[] {
  return weights.map((weight, index) => new DestinationState(nameOf(index), weight));
}

function nameOf(index: number): string {
  return index < 26 ? String.fromCharCode(0x61 + index) : `d${index}`;
}

/** The ids of the next `count` first picks, with a space between. */
export function pickIds(policy: BalancingPolicy, count: number): string {
  return Array.from({ length: count }, () => policy.pick(0, null)?.id ?? '-').join(' ');
}

/** How often each destination is the answer in `count` first picks, in the order of `destinations`. */
export function countPicks(
  policy: BalancingPolicy,
  destinations: readonly DestinationState[],
  count: number,
  hashOf: (pick: number) => number = () => 0,
): number[] {
  const counts = new Map(destinations.map((destination) => [destination, 0]));
  for (let pick = 0; pick < count; pick++) {
    const picked = policy.pick(hashOf(pick), null)!;
    counts.set(picked, counts.get(picked)! + 1);
  }
  return [...counts.values()];
}
