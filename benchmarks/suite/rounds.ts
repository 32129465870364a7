/** Bursts in turn, with pauses, so that all entrants meet the same noise. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from './options.ts';
import type { EntrantResult } from './report.ts';
import { type Burst, summarise } from './statistics.ts';
import type { Entrant } from './workload.ts';

const ANSWER_LIMIT_MS = 5_000;

export interface Outcome {
  readonly results: readonly EntrantResult[];
  /** Who did not answer the warm-up, or broke off later, as lines. */
  readonly leftOut: readonly string[];
}

type Schedule = Pick<Options, 'rounds' | 'seconds' | 'warmUpSeconds' | 'pauseMs'>;

/** @param tell is given a line of progress before each round */
export async function runRounds(
  entrants: readonly Entrant[],
  { rounds, seconds, warmUpSeconds, pauseMs }: Schedule,
  tell: (line: string) => void,
): Promise<Outcome> {
  tell('warm-up');
  const leftOut: string[] = [];
  const ready: Entrant[] = [];
  for (const entrant of entrants) {
    const problem = await warmUp(entrant, warmUpSeconds);
    if (problem === null) ready.push(entrant);
    else leftOut.push(`${entrant.name}: ${problem}`);
  }
  const bursts = new Map<Entrant, Burst[]>(ready.map((entrant) => [entrant, []]));
  for (let round = 0; round < rounds; round += 1) {
    tell(`round ${round + 1} of ${rounds}`);
    // Another one begins each time, so that nobody always follows the same neighbour's pause.
    for (const entrant of rotate([...bursts.keys()], round)) {
      await sleep(pauseMs);
      try {
        bursts.get(entrant)?.push(await runBurst(entrant, seconds));
      } catch (error) {
        bursts.delete(entrant);
        leftOut.push(`${entrant.name}: ${(error as Error).message}`);
      }
    }
  }
  const results = [...bursts].map(([{ name }, own]) => ({ name, summary: summarise(own), bursts: own }));
  return { results, leftOut };
}

/** On a busy machine the first answers may take longer than a warm-up. @returns why it cannot take part, or null */
async function warmUp(entrant: Entrant, seconds: number): Promise<string | null> {
  const deadlineMs = performance.now() + ANSWER_LIMIT_MS;
  try {
    for (;;) {
      const { requests, failed } = await entrant.load(seconds);
      if (requests > 0) return null;
      if (failed > 0 || performance.now() > deadlineMs) return `no good answer, ${failed} failed`;
    }
  } catch (error) {
    return (error as Error).message;
  }
}

async function runBurst({ contender, load }: Entrant, seconds: number): Promise<Burst> {
  const before = contender.cpuSeconds();
  const result = await load(seconds);
  return {
    cpuMicroseconds: ((contender.cpuSeconds() - before) * 1e6) / result.requests,
    requestsPerSecond: result.requests / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    residentMegabytes: contender.residentMegabytes(),
    failed: result.failed,
  };
}

function rotate<T>(values: readonly T[], by: number): T[] {
  const start = by % Math.max(1, values.length);
  return [...values.slice(start), ...values.slice(0, start)];
}
