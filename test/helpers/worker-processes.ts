/** The worker processes of a gateway, as its log and its metrics show them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayProcess } from './gateway-process.ts';
import { formatRequest, request } from './raw-client.ts';
import type { RawResponse } from './response-reader.ts';

/** The process ids of the workers that serve, by worker. */
export function listWorkers(gateway: GatewayProcess): Map<number, number> {
  const workers = new Map<number, number>();
  for (const line of gateway.logs) {
    if (line.msg === 'worker serves') workers.set(Number(line.worker), Number(line.workerPid));
    if (line.msg === 'worker died') workers.delete(Number(line.worker));
  }
  return workers;
}

/** The process id of a worker that serves. @throws Error where none does: a signal to no process goes to all of ours */
export function someWorker(gateway: GatewayProcess): number {
  const pid = [...listWorkers(gateway).values()].at(-1);
  if (pid === undefined || pid <= 0) throw new Error('no worker serves');
  return pid;
}

/** Waits until `count` more workers serve, from now on. */
export async function waitForWorkers(
  gateway: GatewayProcess,
  count: number,
  limitMs = 20_000,
): Promise<void> {
  let missing = count;
  await gateway.waitForNextLog((line) => {
    if (line.msg === 'worker serves') missing -= 1;
    return missing === 0;
  }, limitMs);
}

/** Between two looks: what is waited for has to get on, too. */
const LOOK_INTERVAL_MS = 25;

/** A request on a connection of its own. */
export function get(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawResponse> {
  return request(port, formatRequest('GET', path, { ...headers, Connection: 'close' }));
}

/** Looks at the metrics again and again until `find` takes them. @throws Error with them after the limit */
export async function waitForMetrics(
  gateway: GatewayProcess,
  find: (metrics: ReadonlyMap<string, number>) => boolean,
  limitMs = 10_000,
): Promise<Map<string, number>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const metrics = await gateway.metrics();
    if (find(metrics)) return metrics;
    if (performance.now() > deadline) {
      const own = [...metrics].filter(
        ([name]) => /^gateway_(?!primary)/.test(name) && !name.includes('_bucket'),
      );
      throw new Error(`metrics are still ${JSON.stringify(own)}`);
    }
    await delay(LOOK_INTERVAL_MS);
  }
}
