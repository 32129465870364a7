/**
 * Loaded into each process of a gateway (NODE_OPTIONS=--import): writes down the pauses of garbage collections,
 * and at SIGUSR2 how much of the heap is used after one.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HEAP_SIGNAL, LEAST_PAUSE_MS, RECORD_DIRECTORY_VARIABLE } from './process-records.ts';
import { wallMs } from './stalls.ts';

const directory = process.env[RECORD_DIRECTORY_VARIABLE];
if (directory !== undefined) {
  const write = (kind: string, value: number): void =>
    appendFileSync(join(directory, `${kind}-${process.pid}`), `${wallMs().toFixed(1)} ${value.toFixed(1)}\n`);
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) if (duration >= LEAST_PAUSE_MS) write('gc', duration);
  }).observe({ entryTypes: ['gc'] });
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on(HEAP_SIGNAL, () => {
    collect();
    collect();
    write('heap', process.memoryUsage().heapUsed);
  });
}
