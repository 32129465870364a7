/** What the balancers asked of Redis, and what they left there. */
import type { RedisDaemon } from '../../test/helpers/redis-daemon.ts';

export interface RedisUsage {
  readonly cpuSeconds: number;
  /** Those of scripts included. */
  readonly commands: number;
}

/** Since the server was started. */
export async function readUsage(redis: RedisDaemon): Promise<RedisUsage> {
  const text = await redis.command('INFO', 'everything');
  const read = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1]);
  const commands = [...text.matchAll(/^cmdstat_[^:]+:calls=(\d+)/gm)];
  return {
    cpuSeconds: read('used_cpu_sys') + read('used_cpu_user'),
    commands: commands.reduce((sum, [, calls]) => sum + Number(calls), 0),
  };
}

/** The requests that are counted as under way in all clusters. */
export async function countInFlight(redis: RedisDaemon): Promise<number> {
  const keys = (await redis.command('KEYS', 'counters:*')).split('\n').filter(Boolean);
  if (keys.length === 0) return 0;
  const states = (await redis.command('MGET', ...keys)).split('\n').map((text) => JSON.parse(text));
  return states
    .flatMap(({ active }: { active: Record<string, number> }) => Object.values(active))
    .reduce((sum, count) => sum + count, 0);
}
