/** What a console found out about one destination. Health is volatile: no revision, and it expires. */
export interface HealthReport {
  readonly cluster: string;
  readonly destination: string;
  readonly healthy: boolean;
  /** Counts up with each report of the console on this destination; an older one never replaces a newer one. */
  readonly sequence: number;
  /** For so long the report holds; without another one the destination is usable again. */
  readonly ttlMs: number;
  /** For people: why. */
  readonly reason?: string;
}

/** What workers are told. */
export type DestinationHealth = Pick<HealthReport, 'cluster' | 'destination' | 'healthy'>;
