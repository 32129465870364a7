/** What is known of destinations: the newest report on each, until it expires. */
import type { DestinationHealth, HealthReport } from './health-report.ts';

/** Reports on further destinations are not taken until others have expired. */
const MAXIMUM_KNOWN_DESTINATIONS = 100_000;
/** Looking at all of them costs a few ms, so it is done no more often: they may expire this much too late. */
const LOOK_INTERVAL_MS = 500;

interface KnownHealth {
  readonly report: HealthReport;
  readonly expiresAtMs: number;
}

/**
 * Holds the newest report on each destination. A destination nobody speaks about (any more) is healthy.
 * Times are those of a clock of the caller that never jumps.
 */
export class HealthBoard {
  readonly #maximum: number;
  readonly #known = new Map<string, KnownHealth>();
  /** Destinations that are not what workers were told. */
  readonly #changed = new Map<string, DestinationHealth>();
  /** No report expires before. */
  #earliestExpiryMs = Number.POSITIVE_INFINITY;
  #nextLookMs = Number.NEGATIVE_INFINITY;

  constructor(maximum = MAXIMUM_KNOWN_DESTINATIONS) {
    this.#maximum = maximum;
  }

  /**
   * Takes the reports that are newer than what is known. One with the sequence that is known only renews the
   * time that it holds for; an older one is ignored. After expiry any sequence is new.
   * @returns those that were taken, renewals not among them
   */
  report(reports: readonly HealthReport[], nowMs: number): readonly HealthReport[] {
    return reports.filter((report) => this.#take(report, nowMs));
  }

  #take(report: HealthReport, nowMs: number): boolean {
    const key = keyOf(report);
    const known = this.#known.get(key);
    const isKnown = known !== undefined && known.expiresAtMs > nowMs;
    if (isKnown && report.sequence <= known.report.sequence) {
      if (report.sequence === known.report.sequence) this.#renew(key, known, nowMs + report.ttlMs);
      return false;
    }
    if (known === undefined && !this.#hasRoom(nowMs)) return false;
    if ((known?.report.healthy ?? true) !== report.healthy) this.#noteChange(key, report);
    this.#set(key, { report, expiresAtMs: nowMs + report.ttlMs });
    return true;
  }

  /** Never shorter than it was: what was read from a store a moment ago has less time left than it had then. */
  #renew(key: string, { report, expiresAtMs }: KnownHealth, renewedToMs: number): void {
    if (renewedToMs > expiresAtMs) this.#set(key, { report, expiresAtMs: renewedToMs });
  }

  #set(key: string, known: KnownHealth): void {
    this.#known.set(key, known);
    this.#earliestExpiryMs = Math.min(this.#earliestExpiryMs, known.expiresAtMs);
  }

  #hasRoom(nowMs: number): boolean {
    if (this.#known.size >= this.#maximum) this.expire(nowMs);
    return this.#known.size < this.#maximum;
  }

  /** Healthiness has two values, so a second change leads back to what workers were told. */
  #noteChange(key: string, { cluster, destination, healthy }: DestinationHealth): void {
    if (!this.#changed.delete(key)) this.#changed.set(key, { cluster, destination, healthy });
  }

  /** Forgets the reports whose time is over. To be called at `nextExpiryMs`, or whenever it suits. */
  expire(nowMs: number): void {
    if (nowMs < this.nextExpiryMs()) return;
    this.#nextLookMs = nowMs + LOOK_INTERVAL_MS;
    this.#earliestExpiryMs = Number.POSITIVE_INFINITY;
    for (const [key, { report, expiresAtMs }] of this.#known) {
      if (expiresAtMs > nowMs) {
        this.#earliestExpiryMs = Math.min(this.#earliestExpiryMs, expiresAtMs);
      } else {
        this.#known.delete(key);
        if (!report.healthy) this.#noteChange(key, { ...report, healthy: true });
      }
    }
  }

  /** When `expire` next has something to do; Infinity where nothing is known. */
  nextExpiryMs(): number {
    return Math.max(this.#earliestExpiryMs, this.#nextLookMs);
  }

  /** What workers must be told since the last call: destinations whose healthiness is not what it was. */
  takeChanges(): readonly DestinationHealth[] {
    const changes = [...this.#changed.values()];
    this.#changed.clear();
    return changes;
  }

  /** The reports that hold, `ttlMs` being what is left of their time. */
  all(nowMs: number): HealthReport[] {
    const reports: HealthReport[] = [];
    for (const { report, expiresAtMs } of this.#known.values()) {
      if (expiresAtMs > nowMs) reports.push({ ...report, ttlMs: Math.ceil(expiresAtMs - nowMs) });
    }
    return reports;
  }
}

/** Ids have no spaces. */
function keyOf({ cluster, destination }: DestinationHealth): string {
  return `${cluster} ${destination}`;
}
