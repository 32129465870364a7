/** Steady traffic from a process of its own, so that who measures and who asks do not wait for each other. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestOwner } from '../../test/helpers/test-owner.ts';
import { type Figure, percentile } from './figures.ts';

export interface LoadOrder {
  /** The requests go to these in turn … */
  readonly ports: readonly number[];
  /** … and by chance to one of these routes of `ManyRoutes`. */
  readonly routes: readonly number[];
  readonly requestsPerSecond: number;
}

export type LoadMessage = { readonly type: 'run'; readonly order: LoadOrder } | { readonly type: 'take' };

export interface LoadCount {
  /** How many failed, by port and what went wrong. */
  readonly failed: Readonly<Record<string, number>>;
  readonly latenciesMs: readonly number[];
}

export interface PacedLoad {
  /** What was counted since the last call; requests count where they began. */
  take(): Promise<LoadCount>;
}

export function startLoad(owner: TestOwner, order: LoadOrder): PacedLoad {
  const script = fileURLToPath(new URL('./paced-client.ts', import.meta.url));
  const child = fork(script, { execArgv: [], serialization: 'advanced' });
  owner.teardown(() => child.kill('SIGKILL'));
  const send = (message: LoadMessage): void => void child.send(message);
  send({ type: 'run', order });
  return {
    async take() {
      const answered = once(child, 'message');
      send({ type: 'take' });
      const [count] = (await answered) as [LoadCount];
      return count;
    },
  };
}

export function failedCount({ failed }: LoadCount): number {
  return Object.values(failed).reduce((sum, one) => sum + one, 0);
}

/** The requests of a period: none of them may fail. */
export function loadFigures(count: LoadCount, when: string): Figure[] {
  const { latenciesMs, failed } = count;
  const kinds = Object.entries(failed).map(([kind, times]) => `${times} × ${kind}`);
  const failures = kinds.length === 0 ? 0 : kinds.join(', ');
  const slow = [50, 99, 100].map((percent) => percentile(latenciesMs, percent).toFixed(1)).join(' / ');
  return [
    { name: `failed requests ${when}`, value: failures, target: '0', met: failures === 0, isCheck: true },
    { name: `requests ${when}: number; ms p50 / p99 / max`, value: `${latenciesMs.length}; ${slow}` },
  ];
}
