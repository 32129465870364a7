/** Load from wrk, which takes less of its core than autocannon and so gets nearer to what a contender can do. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { LoadResult } from './workload.ts';

const run = promisify(execFile);

/** A script for wrk that asks for some paths in turn. */
export async function writeWrkScript(file: string, paths: readonly string[]): Promise<void> {
  const list = paths.map((path) => `"${path}"`).join(',');
  const script = `local paths = {${list}}
local requests, turn = {}, 0
function init() for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end end
function request() turn = turn % #requests + 1; return requests[turn] end
`;
  await writeFile(file, script);
}

export async function loadByWrk(
  port: number,
  script: string,
  connections: number,
  seconds: number,
): Promise<LoadResult> {
  // It takes whole seconds only.
  const duration = `${Math.ceil(seconds)}s`;
  const words = ['-t', '1', '-c', String(connections), '-d', duration, '-s', script, '--latency'];
  const { stdout } = await run('wrk', [...words, `http://127.0.0.1:${port}/`]);
  return readWrkOutput(stdout);
}

const MILLISECONDS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

/** @throws Error where it is not what wrk 4 writes */
export function readWrkOutput(text: string): LoadResult {
  const whole = /(\d+) requests in ([\d.]+)s/.exec(text);
  if (whole === null) throw new Error(`wrk said: ${text}`);
  const percentileMs = (percent: number): number => {
    const [, value, unit = ''] =
      new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(text) ?? [];
    return Number(value) * (MILLISECONDS[unit] ?? Number.NaN);
  };
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const errors =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  return {
    requests: Number(whole[1]) - refused,
    failed: errors.reduce((sum, count) => sum + Number(count), refused),
    seconds: Number(whole[2]),
    p50Ms: percentileMs(50),
    p99Ms: percentileMs(99),
  };
}
