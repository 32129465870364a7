/** Bursts made into the figures of a table. Pure. */
/** One burst of one entrant. */
export interface Burst {
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly residentMegabytes: number;
  readonly failed: number;
}

/** Medians over the bursts, but for what says otherwise. */
export interface Summary {
  readonly cpuMicroseconds: number;
  readonly leastCpuMicroseconds: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly residentMegabytes: number;
  /** Of all bursts together. */
  readonly failed: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  // The two in the middle are one and the same where the count is odd.
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** A burst in which a machine that stands still let nobody answer has no CPU time a request, and no latencies. */
export function summarise(bursts: readonly Burst[]): Summary {
  const known = (read: (burst: Burst) => number): number[] => bursts.map(read).filter(Number.isFinite);
  const medianOf = (read: (burst: Burst) => number): number => median(known(read));
  return {
    cpuMicroseconds: medianOf((burst) => burst.cpuMicroseconds),
    leastCpuMicroseconds: Math.min(...known((burst) => burst.cpuMicroseconds)),
    requestsPerSecond: medianOf((burst) => burst.requestsPerSecond),
    p50Ms: medianOf((burst) => burst.p50Ms),
    p99Ms: medianOf((burst) => burst.p99Ms),
    residentMegabytes: medianOf((burst) => burst.residentMegabytes),
    failed: bursts.reduce((sum, { failed }) => sum + failed, 0),
  };
}
