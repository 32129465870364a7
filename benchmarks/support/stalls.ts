/** How long event loops stood still: see stall-recorder.ts, which writes what is read here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const INTERVAL_MS = 4;
export const LEAST_STALL_MS = 8;
export const STALL_DIRECTORY_VARIABLE = 'BENCHMARK_STALL_DIRECTORY';

export interface Stall {
  /** When it was over, by the clock of all processes. */
  readonly endMs: number;
  readonly ms: number;
  /** What the thread worked meanwhile: what is missing, other processes had. */
  readonly cpuMs: number;
}

/** A clock that all processes of a machine share and that does not jump within one. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

/** To be added to the environment of a gateway. */
export function recordingEnvironment(directory: string): Record<string, string> {
  const recorder = fileURLToPath(new URL('./stall-recorder.ts', import.meta.url));
  // What the benchmark itself was started with, such as --cpu-prof, is for the gateways too.
  const options = [process.env.NODE_OPTIONS ?? '', `--import=${recorder}`].join(' ').trim();
  return { NODE_OPTIONS: options, [STALL_DIRECTORY_VARIABLE]: directory };
}

/** The stalls of a process that ended after a moment, oldest first. */
export function readStalls(directory: string, pid: number, sinceMs: number): Stall[] {
  return readLines(join(directory, String(pid)))
    .map((line) => {
      const [endMs = 0, ms = 0, cpuMs = 0] = line.split(' ').map(Number);
      return { endMs, ms, cpuMs };
    })
    .filter(({ endMs }) => endMs >= sinceMs);
}

/** The longest stall, and the longest that the thread itself worked in one; 0 where none was long. */
export function longest(stalls: readonly Stall[]): { readonly ms: number; readonly cpuMs: number } {
  return {
    ms: Math.max(0, ...stalls.map(({ ms }) => ms)),
    cpuMs: Math.max(0, ...stalls.map(({ ms, cpuMs }) => Math.min(ms, cpuMs))),
  };
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch {
    // It never stood still.
    return [];
  }
}
