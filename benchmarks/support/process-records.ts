/** What the processes of a gateway wrote down of themselves: see process-recorder.ts, which writes it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from './propagation-sizes.ts';
import { recordingEnvironment, wallMs } from './stalls.ts';

export const RECORD_DIRECTORY_VARIABLE = 'BENCHMARK_RECORD_DIRECTORY';
export const HEAP_SIGNAL = 'SIGUSR2';
/** Shorter pauses are not written down. */
export const LEAST_PAUSE_MS = 4;

const POLL_MS = 20;

/** To be added to the environment of a gateway: stalls, pauses and heaps are recorded in the directory. */
export function recordsEnvironment(directory: string): Record<string, string> {
  const recorder = fileURLToPath(new URL('./process-recorder.ts', import.meta.url));
  const { NODE_OPTIONS = '', ...variables } = recordingEnvironment(directory);
  return {
    ...variables,
    NODE_OPTIONS: `${NODE_OPTIONS} --import=${recorder}`,
    [RECORD_DIRECTORY_VARIABLE]: directory,
  };
}

/** The longest pause for a garbage collection since a moment, in ms; 0 where none was long. */
export function longestPauseMs(directory: string, pid: number, sinceMs: number): number {
  return Math.max(0, ...readValues(directory, 'gc', pid, sinceMs));
}

/** Bytes of the heap that a process uses after a garbage collection. */
export async function usedHeapBytes(directory: string, pid: number): Promise<number> {
  const sinceMs = wallMs();
  process.kill(pid, HEAP_SIGNAL);
  for (;;) {
    const [bytes] = readValues(directory, 'heap', pid, sinceMs);
    if (bytes !== undefined) return bytes;
    await sleep(POLL_MS);
  }
}

function readValues(directory: string, kind: string, pid: number, sinceMs: number): number[] {
  return readLines(join(directory, `${kind}-${pid}`))
    .map((line) => line.split(' ').map(Number))
    .filter(([atMs = 0]) => atMs >= sinceMs)
    .map(([, value = 0]) => value);
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch {
    // It has written nothing yet.
    return [];
  }
}
