import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Redis } from 'ioredis';

const INTERVAL_MS = 1_000;
const SILENCE_LIMIT_MS = 2_000;

/**
 * Asks a server every second for a sign of life. Resolves with why the connection is over: the server was
 * silent for two seconds, or `probe` says so. A server that is sending a long reply is not silent.
 * @param mayBeSilent true while a long request is on its way, behind which the probe has to wait
 * @param probe sends a command; what it resolves to, unless null, is why the connection is to be given up
 * @throws AbortError when `signal` is aborted
 */
export async function watchHeartbeat(
  client: Redis,
  probe: () => Promise<string | null>,
  mayBeSilent: () => boolean,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    await delay(INTERVAL_MS, null, { signal });
    const verdict = await answerOf(client, probe(), mayBeSilent, signal);
    if (verdict !== null) return verdict;
  }
}

async function answerOf(
  client: Redis,
  probing: Promise<string | null>,
  mayBeSilent: () => boolean,
  signal: AbortSignal,
): Promise<string | null> {
  let answer: { readonly verdict: string | null } | null = null;
  const answered = probing.then((verdict) => {
    answer = { verdict };
    return answer;
  });
  for (;;) {
    const heardBytes = client.stream.bytesRead;
    const first = await raceWithDelay(answered, signal);
    if (first !== null) return first.verdict;
    // What came while this process was busy is read before the silence is judged.
    await nextTurn();
    const late = answer as { readonly verdict: string | null } | null;
    if (late !== null) return late.verdict;
    const isSilent = client.stream.bytesRead === heardBytes && !mayBeSilent();
    if (isSilent) return `no answer within ${SILENCE_LIMIT_MS} ms`;
  }
}

/** What `work` gives, or null after the limit. */
async function raceWithDelay<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const timer = new AbortController();
  const limit = delay(SILENCE_LIMIT_MS, null, { signal: AbortSignal.any([signal, timer.signal]) });
  try {
    return await Promise.race([work, limit]);
  } finally {
    limit.catch(() => {});
    timer.abort();
  }
}
