/** What a process used so far, as Linux tells it. */
import { readFileSync } from 'node:fs';

/** Clock ticks a second, which Linux fixes at 100 for /proc. */
const TICKS_PER_SECOND = 100;

/** Begins to measure: what it gives tells the seconds of user and system time that each process used since. */
export function cpuMeter(pids: readonly number[]): () => number[] {
  const before = pids.map(cpuSeconds);
  return () => pids.map((pid, index) => cpuSeconds(pid) - before[index]!);
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory now, and the most that it ever was, in MB. */
export function residentMegabytes(pid: number): { readonly now: number; readonly peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  return { now: read('VmRSS') / 1_024, peak: read('VmHWM') / 1_024 };
}
