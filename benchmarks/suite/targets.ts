/** What the figures should be, and whether they are. Pure. */
import type { Summary } from './statistics.ts';

/** The ratio of two entrants of one workload is at most so much. */
export interface Target {
  readonly measure: 'cpu' | 'p99';
  readonly of: string;
  readonly to: string;
  readonly most: number;
}

export interface Verdict extends Target {
  /** Of the medians; null where one of the two is not there or failed requests. */
  readonly ratio: number | null;
  readonly outcome: 'met' | 'missed' | 'not measured' | 'requests failed';
}

const READ: Record<Target['measure'], (summary: Summary) => number> = {
  cpu: (summary) => summary.cpuMicroseconds,
  p99: (summary) => summary.p99Ms,
};

/** Who fails requests may be quick in that: such a ratio says nothing. */
export function judge(target: Target, summaries: ReadonlyMap<string, Summary>): Verdict {
  const [one, other] = [summaries.get(target.of), summaries.get(target.to)];
  if (one === undefined || other === undefined) return { ...target, ratio: null, outcome: 'not measured' };
  if (one.failed + other.failed > 0) return { ...target, ratio: null, outcome: 'requests failed' };
  const ratio = READ[target.measure](one) / READ[target.measure](other);
  if (!Number.isFinite(ratio)) return { ...target, ratio: null, outcome: 'not measured' };
  return { ...target, ratio, outcome: ratio <= target.most ? 'met' : 'missed' };
}

/** As a line: `CPU: gateway / nginx ≤ 2`. */
export function describeTarget({ measure, of, to, most }: Target): string {
  return `${measure === 'cpu' ? 'CPU' : 'p99'}: ${of} / ${to} ≤ ${most}`;
}
