/**
 * A steady rate, whether answers come or not: how long requests take while there is room. autocannon's rate is one of
 * whole seconds, whose requests it sends all at once.
 */
import { percentile } from '../support/figures.ts';
import { KeptConnection } from './kept-connection.ts';
import type { LoadResult } from './workload.ts';

const TICK_MS = 1;
const LIMIT_MS = 5_000;

/** Requests that find no connection free wait for one, and the wait is part of their latency. */
class OpenLoop {
  readonly #free: KeptConnection[];
  readonly #waitingSinceMs: number[] = [];
  readonly latenciesMs: number[] = [];
  failed = 0;
  #underWay = 0;

  constructor(connections: readonly KeptConnection[]) {
    this.#free = [...connections];
  }

  get isIdle(): boolean {
    return this.#underWay === 0 && this.#waitingSinceMs.length === 0;
  }

  /** Those that never got a connection or an answer. */
  get unanswered(): number {
    return this.#underWay + this.#waitingSinceMs.length;
  }

  begin(dueMs: number): void {
    this.#waitingSinceMs.push(dueMs);
    this.#sendOn();
  }

  #sendOn(): void {
    while (this.#waitingSinceMs.length > 0) {
      const connection = this.#free.pop();
      if (connection === undefined) return;
      if (!connection.isClosed) this.#send(connection, this.#waitingSinceMs.shift() ?? 0);
    }
  }

  #send(connection: KeptConnection, dueMs: number): void {
    this.#underWay += 1;
    connection.ask((isGood) => {
      this.#underWay -= 1;
      if (isGood) this.latenciesMs.push(performance.now() - dueMs);
      else this.failed += 1;
      if (!connection.isClosed) this.#free.push(connection);
      this.#sendOn();
    });
  }
}

export async function loadAtRate(
  port: number,
  request: Buffer,
  { connections, requestsPerSecond }: { readonly connections: number; readonly requestsPerSecond: number },
  seconds: number,
): Promise<LoadResult> {
  const open = await Promise.all(
    Array.from({ length: connections }, () => KeptConnection.open(port, request)),
  );
  // Each has been through once: how connections come to a contender is another question.
  await Promise.all(open.map((connection) => new Promise((resolve) => connection.ask(resolve))));
  const loop = new OpenLoop(open);
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    let begun = 0;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const due = (Math.min((nowMs - startMs) / 1_000, seconds) * requestsPerSecond) | 0;
      for (; begun < due; begun += 1) loop.begin(nowMs);
      const elapsedMs = nowMs - startMs;
      if (elapsedMs < seconds * 1_000 || (!loop.isIdle && elapsedMs < seconds * 1_000 + LIMIT_MS)) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  const unanswered = loop.unanswered;
  for (const connection of open) connection.close();
  return {
    requests: loop.latenciesMs.length,
    failed: loop.failed + unanswered,
    seconds: (performance.now() - startMs) / 1_000,
    p50Ms: percentile(loop.latenciesMs, 50),
    p99Ms: percentile(loop.latenciesMs, 99),
  };
}
