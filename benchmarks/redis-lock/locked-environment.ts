const PRELOAD = new URL('preload.ts', import.meta.url).href;

/** What makes a gateway that is started with it one that balances under a lock in Redis. */
export function lockedEnvironment(redisPort: number): Record<string, string> {
  const options = `${process.env.NODE_OPTIONS ?? ''} --import=${PRELOAD}`;
  return { NODE_OPTIONS: options.trim(), REDIS_LOCK_PORT: String(redisPort) };
}
