/**
 * What the primary and its workers say to each other. Messages of one channel arrive in order. Both ends
 * are of one version: a rolling restart forks workers of the code that the primary runs.
 */
import type { Head, Operation } from '../core/config/change.ts';
import type { ExplainRequest, Explanation } from '../core/explain/explanation.ts';
import type { DestinationHealth } from '../core/health/health-report.ts';
import type { RouteSample } from '../core/metrics/route-stats.ts';

/** A worker's settings, given at its start. */
export interface WorkerSettings {
  readonly workerId: number;
  readonly instance: string;
  readonly trustedProxies: readonly string[];
  /** Share of the requests that are logged: 0 none, 1 all. */
  readonly accessLogRate: number;
  readonly logLevel: string;
  readonly prettyLog: boolean;
}

/** Which configuration a message leads to. */
export type Target = Pick<Head, 'revision' | 'id'>;

export type ToWorker =
  /**
   * A configuration in parts: with `parent` null all of it, else a change of what the worker holds that is
   * too large for one go. It is built aside, and takes effect as one step at its end.
   */
  | { readonly type: 'transferBegin'; readonly parent: string | null }
  | { readonly type: 'transferPart'; readonly operations: readonly Operation[] }
  | ({ readonly type: 'transferEnd' } & Target)
  /** A small change, applied in one go. */
  | ({ readonly type: 'delta'; readonly parent: string; readonly operations: readonly Operation[] } & Target)
  /** What is known of destinations; those that are not named stay as they are. */
  | { readonly type: 'health'; readonly destinations: readonly DestinationHealth[] }
  | { readonly type: 'explain'; readonly question: number; readonly request: ExplainRequest }
  /** Comes with a socket. */
  | { readonly type: 'connection' }
  /** Has the worker got as many sockets as it was sent? Node drops one that the worker has no descriptor for. */
  | { readonly type: 'probe'; readonly connections: number }
  | { readonly type: 'collect'; readonly collection: number }
  | { readonly type: 'drain'; readonly limitMs: number }
  /** The last word: every message before it has been seen. */
  | { readonly type: 'leave' };

export type ToPrimary =
  | { readonly type: 'started' }
  /** `fingerprint` is that of the whole table: see core/config/fingerprint.ts. */
  | ({ readonly type: 'applied'; readonly fingerprint: string } & Target)
  | ({ readonly type: 'rejected'; readonly problem: string } & Target)
  | { readonly type: 'explained'; readonly question: number; readonly explanation: Explanation }
  /** The socket has arrived, or was closed on the way. */
  | { readonly type: 'accepted' }
  /** The answer to a probe, where the last socket has not arrived. */
  | { readonly type: 'missed' }
  | { readonly type: 'heartbeat' }
  | ({ readonly type: 'sample'; readonly collection: number } & WorkerSample)
  | { readonly type: 'drained'; readonly cutOff: number };

/** What a worker counted since its last sample, and how it is now. */
export interface WorkerSample {
  readonly routes: readonly RouteSample[];
  readonly connections: number;
  readonly webSockets: number;
  readonly revision: number;
  readonly eventLoopLagSeconds: { readonly mean: number; readonly p99: number; readonly max: number };
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

export const HEARTBEAT_INTERVAL_MS = 1_000;
/** Named in the environment of a worker: its settings as JSON. */
export const WORKER_SETTINGS_VARIABLE = 'FENGLING_WORKER_SETTINGS';
