/**
 * Fuzzes for as long as one likes: `node test/fuzz/run.ts --seconds 600 [--seed N] [--only readers]`. The time goes in
 * equal parts to requests, to answers, to the readers of requests, and to those of answers. After a fault it goes on from
 * the next seed. Exits with 1 where there was one.
 */
import { parseArgs } from 'node:util';
import type { TestOwner } from '../helpers/test-owner.ts';
import { startDifferentialFuzzer } from './differential-fuzzer.ts';
import { type Fuzzer, type FuzzOutcome, fuzz } from './fuzzer.ts';
import { startRequestFuzzer } from './request-fuzzer.ts';
import { startRequestReaderFuzzer } from './request-reader-fuzzer.ts';
import { startResponseFuzzer } from './response-fuzzer.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const seconds = readNumber('seconds', values.seconds ?? '60');
const firstSeed = readNumber('seed', values.seed ?? String(Date.now() % 1_000_000));

function readNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new RangeError(`--${name} takes a whole number above 0, such as --${name} 600, not "${text}"`);
}

type StartFuzzer<Plan> = (owner: TestOwner, seed: number) => Promise<Fuzzer<Plan>>;

/** Runs one fuzzer on a gateway of its own, which ends with it. */
async function runOnce<Plan>(
  start: StartFuzzer<Plan>,
  limitSeconds: number,
  seed: number,
): Promise<FuzzOutcome> {
  const releases: (() => unknown)[] = [];
  try {
    const fuzzer = await start({ teardown: (release) => void releases.push(release) }, seed);
    return await fuzz(fuzzer, limitSeconds, seed);
  } finally {
    for (const release of releases.reverse()) await release();
  }
}

async function runFor<Plan>(start: StartFuzzer<Plan>, limitSeconds: number): Promise<FuzzOutcome[]> {
  const outcomes: FuzzOutcome[] = [];
  const deadlineMs = performance.now() + limitSeconds * 1_000;
  for (let seed = firstSeed; performance.now() < deadlineMs; seed++) {
    const outcome = await runOnce(start, (deadlineMs - performance.now()) / 1_000, seed);
    outcomes.push(outcome);
    if (outcome.report !== '') process.stdout.write(`seed ${seed}: ${outcome.report}\n\n`);
  }
  return outcomes;
}

function describe(name: string, outcomes: readonly FuzzOutcome[]): string {
  const sumOf = (key: 'inputs' | 'requests' | 'seconds') =>
    outcomes.reduce((sum, outcome) => sum + outcome[key], 0);
  const countOf = (...faults: string[]) =>
    outcomes.filter(({ fault }) => faults.includes(fault ?? '')).length;
  const found = outcomes.filter(({ fault }) => fault !== null).length;
  const figures = [
    `${sumOf('inputs')} inputs in ${sumOf('seconds')} s`,
    `${sumOf('requests')} requests at the origin`,
    `${countOf('crash')} crashes`,
    `${countOf('leaked request', 'second request')} requests leaked`,
    `${countOf('foreign bytes')} times foreign bytes`,
    `${found} faults in all`,
    `seed ${firstSeed}`,
  ];
  return `${name}: ${figures.join(', ')}\n`;
}

const FUZZERS: Record<string, (limitSeconds: number) => Promise<FuzzOutcome[]>> = {
  requests: (limitSeconds) => runFor(startRequestFuzzer, limitSeconds),
  answers: (limitSeconds) => runFor(startResponseFuzzer, limitSeconds),
  'request-readers': (limitSeconds) => runFor(startRequestReaderFuzzer, limitSeconds),
  readers: (limitSeconds) => runFor(startDifferentialFuzzer, limitSeconds),
};

const chosen = Object.entries(FUZZERS).filter(([name]) => (values.only ?? name) === name);
if (chosen.length === 0) throw new RangeError(`--only takes one of ${Object.keys(FUZZERS).join(', ')}`);
for (const [name, run] of chosen) {
  const outcomes = await run(seconds / chosen.length);
  process.stdout.write(describe(name, outcomes));
  if (outcomes.some(({ fault }) => fault !== null)) process.exitCode = 1;
}
