/** One line of a benchmark's table. */
export interface Figure {
  readonly name: string;
  readonly value: number | string;
  /** What it should be, in words; absent where it is only told. */
  readonly target?: string;
  /** Whether it is that. */
  readonly met?: boolean;
  /** A target about correctness, which a noisy machine is no excuse for. */
  readonly isCheck?: boolean;
}

export function figure(name: string, value: number | string): Figure {
  return { name, value: rounded(value) };
}

/** A time or a size that should not be larger than something. */
export function bounded(name: string, value: number, limit: number): Figure {
  return { name, value: rounded(value), target: `≤ ${limit}`, met: value <= limit };
}

/** Something that must be exactly so. */
export function check(name: string, value: number | string, wanted: number | string): Figure {
  return { name, value, target: String(wanted), met: value === wanted, isCheck: true };
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** Median, 99th percentile and largest, as one cell. */
export function spread(values: readonly number[]): string {
  return [50, 99, 100].map((percent) => rounded(percentile(values, percent))).join(' / ');
}

export function formatTable(title: string, figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, target = '', met }) => {
    const mark = met === false ? ' **missed**' : '';
    return `| ${name} | ${value}${mark} | ${target} |`;
  });
  return [`## ${title}`, '', '| | measured | wanted |', '|-|-|-|', ...rows, ''].join('\n');
}

function rounded<T extends number | string>(value: T): T | number {
  if (typeof value !== 'number') return value;
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
