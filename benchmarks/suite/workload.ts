/** What all workloads have in common. */
import type { Contender } from '../support/contender.ts';
import type { Scope } from '../support/scope.ts';
import type { Bench } from './bench.ts';
import type { Target } from './targets.ts';

/** What one load gave: latencies are those of the requests that were answered as they should be. */
export interface LoadResult {
  /** Answered as they should be. */
  readonly requests: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One line of a workload's table: a contender, or one way of using it. */
export interface Entrant {
  readonly name: string;
  readonly contender: Contender;
  readonly load: (seconds: number) => Promise<LoadResult>;
}

export interface Entry {
  readonly entrants: readonly Entrant[];
  /** Who is not there, each as a line that says why. */
  readonly leftOut: readonly string[];
}

export interface Workload {
  /** What `--only` takes. */
  readonly name: string;
  readonly title: string;
  /** What is asked of the contenders, in sentences for the page. */
  readonly description: string;
  /** What is counted; requests unless said. */
  readonly unit?: 'request' | 'message';
  /** Of the body that is moved, where the time for a byte is of interest. */
  readonly bytesPerRequest?: number;
  /** How many times as many rounds as others it gets; 1 unless said. */
  readonly weight?: number;
  /** How many times as long as that of others its warm-up is, for those who have only just been started. */
  readonly warmUps?: number;
  /** Left out by `--quick`. */
  readonly isSecondOpinion?: boolean;
  readonly targets: readonly Target[];
  /** Starts what it needs; what is started in the scope ends with the workload. */
  enter(bench: Bench, scope: Scope): Promise<Entry>;
}
