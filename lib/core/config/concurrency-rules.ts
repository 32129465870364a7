/** The rules for how many requests may be under way and wait, of a route or a cluster. */
import type { Cluster } from './model.ts';
import type { Findings } from './problem-list.ts';

type ConcurrencyLimits = NonNullable<Cluster['limits']>;

/** Checks the `limits` of a route or a cluster. `pointer` is where they are in the document. */
export function checkConcurrency(
  pointer: string,
  { maxConcurrent, maxWaiting, maxWaitMs }: ConcurrencyLimits,
  { problems, warnings }: Findings,
): void {
  if (maxWaiting !== undefined && maxConcurrent === undefined) {
    const message = 'has no effect without maxConcurrent: nothing waits where there is no limit';
    problems.add(`${pointer}/maxWaiting`, message, 'give maxConcurrent, or remove it');
  }
  if (maxWaitMs !== undefined && (maxWaiting ?? 0) === 0) {
    const message = 'has no effect without maxWaiting: no request may wait';
    warnings.add(`${pointer}/maxWaitMs`, message, 'give maxWaiting, or remove it');
  }
}
