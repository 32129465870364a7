/** What instances share besides the configuration: who is there, health, and demand for rate limits. */
import type { HealthReport } from '../core/health/health-report.ts';
import type { RateDemand } from '../core/policy/rate-demand.ts';

/** Where instances say that they are there. A record is a JSON object with at least `instance`. */
export interface InstanceDirectory {
  /** Says how this instance is. The record vanishes by itself `ttlMs` after it was last announced. */
  announce(record: InstanceRecord, ttlMs: number): Promise<void>;
  /** The records of all instances that are there. */
  list(): Promise<readonly InstanceRecord[]>;
  /** Takes this instance's record away, at a stop. */
  withdraw(instance: string): Promise<void>;
  /** Calls `onRecord` with each record that any instance announces from now on. A lost one is not told. */
  watch(onRecord: (record: InstanceRecord) => void): void;
}

export interface InstanceRecord {
  readonly instance: string;
  readonly [key: string]: unknown;
}

/** Where the console leaves what it found out about destinations, for all instances. */
export interface HealthDirectory {
  /**
   * Stores reports, each unless a newer one (by `sequence`) of the same destination is there. They expire by
   * the clock of the store.
   * @returns how many were stored
   */
  report(reports: readonly HealthReport[]): Promise<number>;
  /** All reports that have not expired, `ttlMs` being what is left of their time. */
  read(): Promise<readonly HealthReport[]>;
  /** Calls `onReports` with what is reported from now on. */
  watch(onReports: (reports: readonly HealthReport[]) => void): void;
}

/** How instances tell each other which keys of rate limits are pressed. Demand is not kept: what is lost is lost. */
export interface RateExchange {
  /**
   * The secret by which all instances hash keys: the one that is kept, or where there is none the proposed one, which
   * then is kept. @throws StoreUnavailableError
   */
  agreeOnSecret(proposed: string): Promise<string>;
  /** Tells all instances, this one included. Never fails: demand that lasts is told again. */
  publish(instance: string, demands: readonly RateDemand[]): void;
  /** Calls `onDemands` with what any instance tells from now on. */
  watch(onDemands: (instance: string, demands: readonly RateDemand[]) => void): void;
}
