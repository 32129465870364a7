/**
 * What the primary and its workers say to each other. Messages of one channel arrive in order. Both ends
 * are of one version: a rolling restart forks workers of the code that the primary runs.
 */
import type { MaterialValue } from '../auth/materials.ts';
import type { Head, Operation } from '../core/config/change.ts';
import type { ExplainRequest, Explanation } from '../core/explain/explanation.ts';
import type { DestinationHealth } from '../core/health/health-report.ts';
import type { RouteSample } from '../core/metrics/route-stats.ts';
import type { RateDemand, RateShare } from '../core/policy/rate-demand.ts';

/** A worker's settings, given at its start. */
export interface WorkerSettings {
  readonly workerId: number;
  /** Its place among the workers, from 0: a successor has that of the one that it replaces. */
  readonly slot: number;
  readonly instance: string;
  readonly trustedProxies: readonly string[];
  /** How many workers the instance has. */
  readonly workers: number;
  readonly limits: ListenerLimits;
  /** Address ranges that are otherwise never connected to: see core/policy/restricted-addresses.ts. */
  readonly allowedAddresses: readonly string[];
  /** Share of the requests that are logged: 0 none, 1 all. */
  readonly accessLogRate: number;
  readonly logLevel: string;
  readonly prettyLog: boolean;
}

/** The largest that `maxHeaderBytes` may be. */
export const MOST_HEADER_BYTES = 65_536;
/** The largest that `maxHeaderCount` may be. */
export const MOST_HEADER_COUNT = 2_000;

/** What clients may do at most. 0 switches a limit off where the setting says so. */
export interface ListenerLimits {
  /** Until the head of a request is complete. */
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxHeaderCount: number;
  /** Of path and query. */
  readonly maxTargetBytes: number;
  /** 0: any number. */
  readonly maxRequestsPerConnection: number;
  /** What a body must reach over five seconds, and the reading of an answer over a minute. 0: no limit. */
  readonly minBytesPerSecond: number;
  /** From this lag on new requests get 503. 0: never. */
  readonly maxEventLoopLagMs: number;
}

export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  headersTimeoutMs: 15_000,
  // Longer than what load balancers in front usually keep theirs for, so that it is they who close.
  keepAliveTimeoutMs: 65_000,
  maxHeaderBytes: 16_384,
  maxHeaderCount: 256,
  maxTargetBytes: 8_192,
  maxRequestsPerConnection: 0,
  minBytesPerSecond: 240,
  maxEventLoopLagMs: 1_000,
};

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
  /** What entries refer to: keys, secrets, certificates. Names in `gone` are needed no more. */
  | {
      readonly type: 'materials';
      readonly materials: readonly MaterialValue[];
      readonly gone: readonly string[];
    }
  /** The answer to `refresh`: what is newer has been sent. `hasLooked`: it was got anew since the question. */
  | { readonly type: 'refreshed'; readonly name: string; readonly hasLooked: boolean }
  /** By which the keys of rate limits are hashed from now on, see core/policy/rate-key.ts. */
  | { readonly type: 'rateSecret'; readonly secret: string }
  /** This worker's part of the rate limits: of all keys, and of those that some worker is pressed for. */
  | {
      readonly type: 'rateShares';
      readonly defaultShare: number;
      readonly shares: readonly RateShare[];
    }
  | { readonly type: 'explain'; readonly question: number; readonly request: ExplainRequest }
  /** Comes with a socket; with `secure`, TLS begins on it. `address` is the peer's, to be named when it closes. */
  | { readonly type: 'connection'; readonly secure: boolean; readonly address: string }
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
  /** Connections of clients that are closed, by the address of the peer, one entry each. */
  | { readonly type: 'closed'; readonly addresses: readonly string[] }
  /** A material may be out of date: a token names a key that is not in it. */
  | { readonly type: 'refresh'; readonly name: string }
  /** Which keys of rate limits are pressed here, and what is given up of them. */
  | { readonly type: 'rateDemand'; readonly demands: readonly RateDemand[] }
  | { readonly type: 'heartbeat' }
  | ({ readonly type: 'sample'; readonly collection: number } & WorkerSample)
  | { readonly type: 'drained'; readonly cutOff: number };

/** What a worker counted since its last sample, and how it is now. */
export interface WorkerSample {
  readonly routes: readonly RouteSample[];
  readonly connections: number;
  readonly webSockets: number;
  /** How many TLS handshakes ended in which way since the last sample. */
  readonly handshakes: readonly (readonly [result: string, count: number])[];
  readonly revision: number;
  readonly eventLoopLagSeconds: { readonly mean: number; readonly p99: number; readonly max: number };
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

export const HEARTBEAT_INTERVAL_MS = 1_000;
/** Named in the environment of a worker: its settings as JSON. */
export const WORKER_SETTINGS_VARIABLE = 'FENGLING_WORKER_SETTINGS';
