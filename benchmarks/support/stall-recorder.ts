/**
 * Loaded into each process of a gateway (NODE_OPTIONS=--import): writes down when its event loop stood still,
 * and how much of that time its own thread was working. The rest was the machine's: another process had the core.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { INTERVAL_MS, LEAST_STALL_MS, STALL_DIRECTORY_VARIABLE, wallMs } from './stalls.ts';

const directory = process.env[STALL_DIRECTORY_VARIABLE];
if (directory !== undefined) {
  const file = join(directory, String(process.pid));
  let lastMs = wallMs();
  let lastCpu = process.threadCpuUsage();
  const timer = setInterval(() => {
    const nowMs = wallMs();
    const cpu = process.threadCpuUsage();
    const stallMs = nowMs - lastMs - INTERVAL_MS;
    const cpuMs = (cpu.user + cpu.system - lastCpu.user - lastCpu.system) / 1_000;
    lastMs = nowMs;
    lastCpu = cpu;
    if (stallMs >= LEAST_STALL_MS) {
      appendFileSync(file, `${nowMs.toFixed(1)} ${stallMs.toFixed(1)} ${cpuMs.toFixed(1)}\n`);
    }
  }, INTERVAL_MS);
  timer.unref();
}
