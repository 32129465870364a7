export interface EventLoopWatch {
  /** The most CPU time between two turns of the event loop while the work was under way. */
  readonly longestBlockMs: number;
  /** The CPU time of all of it. */
  readonly totalMs: number;
}

/**
 * Watches the event loop while the work is under way. Counts the CPU time of this thread: on a busy machine others
 * have the processor for as long as they like, and that says nothing of the work.
 */
export async function watchEventLoop(work: () => Promise<unknown>): Promise<EventLoopWatch> {
  const startMs = readCpuMs();
  let lastTurnMs = startMs;
  let longestBlockMs = 0;
  let running = true;
  const turn = (): void => {
    const nowMs = readCpuMs();
    longestBlockMs = Math.max(longestBlockMs, nowMs - lastTurnMs);
    lastTurnMs = nowMs;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  running = false;
  turn();
  return { longestBlockMs, totalMs: readCpuMs() - startMs };
}

/** The CPU time of this thread so far: how long others make it wait does not count. */
export function readCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
