export interface EventLoopWatch {
  /** The longest time for which the event loop did not turn while the work was under way. */
  readonly longestBlockMs: number;
  readonly totalMs: number;
}

/**
 * Watches the event loop while the work is under way. On a busy machine the longest block includes the time
 * in which the process did not run: it is to be compared with the total, which grows as well.
 */
export async function watchEventLoop(work: () => Promise<unknown>): Promise<EventLoopWatch> {
  const startMs = performance.now();
  let lastTurnMs = startMs;
  let longestBlockMs = 0;
  let running = true;
  const turn = (): void => {
    const nowMs = performance.now();
    longestBlockMs = Math.max(longestBlockMs, nowMs - lastTurnMs);
    lastTurnMs = nowMs;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  running = false;
  turn();
  return { longestBlockMs, totalMs: performance.now() - startMs };
}
