/** What all fuzzers have in common: inputs from fast-check, a time box, and a look at the gateway's health. */
import fc from 'fast-check';
import type { GatewayProcess } from '../helpers/gateway-process.ts';
import { FuzzFault } from './ledger.ts';

/** Far more than fit into any time box: the time is what ends a run. */
const MOST_RUNS = 1_000_000_000;

export interface Fuzzer<Plan> {
  readonly inputs: fc.Arbitrary<Plan>;
  /** Byte streams tried so far. */
  readonly inputCount: number;
  /** Requests that came to the origin so far. */
  readonly requestCount: number;
  /** Tries one input. @throws FuzzFault where a rule was broken */
  run(plan: Plan): Promise<void>;
  /** Looks at what can only be told in the end. @throws FuzzFault */
  finish(): Promise<void>;
}

export interface FuzzOutcome {
  readonly seed: number;
  readonly seconds: number;
  readonly inputs: number;
  readonly requests: number;
  /** The rule that was broken, null where none was. */
  readonly fault: FuzzFault['fault'] | 'failure' | null;
  /** The smallest input that was found to break it, with its bytes; empty where there is none. */
  readonly report: string;
}

/** Tries inputs until the time is over or one breaks a rule, which is then made as small as the time allows. */
export async function fuzz<Plan>(fuzzer: Fuzzer<Plan>, seconds: number, seed: number): Promise<FuzzOutcome> {
  let running: Promise<unknown> = Promise.resolve(null);
  const startedMs = performance.now();
  const property = fc.asyncProperty(fuzzer.inputs, (plan) => {
    const run = fuzzer.run(plan);
    running = failureOf(() => run);
    return run;
  });
  const details = await fc.check(property, {
    seed,
    numRuns: MOST_RUNS,
    interruptAfterTimeLimit: seconds * 1_000,
    markInterruptAsFailure: false,
  });
  // The last run is left behind when the time is over, and counts as well.
  const left = await running;
  const error = details.failed ? details.errorInstance : (left ?? (await failureOf(() => fuzzer.finish())));
  return {
    seed,
    seconds: Math.round((performance.now() - startedMs) / 1_000),
    inputs: fuzzer.inputCount,
    requests: fuzzer.requestCount,
    fault: error === null ? null : error instanceof FuzzFault ? error.fault : 'failure',
    report: error === null ? '' : `${error}\n${details.failed ? fc.defaultReportMessage(details) : ''}`,
  };
}

async function failureOf(act: () => Promise<void>): Promise<unknown> {
  try {
    await act();
    return null;
  } catch (error) {
    return error;
  }
}

/** @throws FuzzFault where a worker has died, or anything was said on the error output */
export async function requireHealthyGateway(gateway: GatewayProcess): Promise<void> {
  const metrics = await gateway.metrics();
  const restarts = [...metrics].filter(
    ([name, count]) => name.includes('worker_restarts_total') && count > 0,
  );
  const isLogged = gateway.logs.some(({ msg }) => msg === 'worker died');
  if (restarts.length === 0 && !isLogged && gateway.stderr === '') return;
  throw new FuzzFault('crash', `${JSON.stringify(restarts)} ${gateway.describe()}`, Buffer.alloc(0));
}
