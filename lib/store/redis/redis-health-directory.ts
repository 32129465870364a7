import type { HealthReport } from '../../core/health/health-report.ts';
import { Breather } from '../breather.ts';
import type { HealthDirectory } from '../shared-state.ts';
import { isRecord } from '../stored-shape.ts';
import type { CommandConnection } from './command-connection.ts';
import type { EventFeed } from './event-feed.ts';
import { HEALTH_SCRIPT } from './health-script.ts';
import type { RedisKeys } from './redis-keys.ts';

const MAX_DESTINATIONS = 100_000;
/** One script, and one message, has at most so many. */
const REPORTS_AT_ONCE = 500;
const READ_LIMIT_MS = 30_000;

/** What consoles found out about destinations: for each the newest report, until it expires by Redis' clock. */
export class RedisHealthDirectory implements HealthDirectory {
  readonly #connection: CommandConnection;
  readonly #feed: EventFeed;
  readonly #keys: RedisKeys;

  constructor(connection: CommandConnection, feed: EventFeed, keys: RedisKeys) {
    this.#connection = connection;
    this.#feed = feed;
    this.#keys = keys;
  }

  async report(reports: readonly HealthReport[]): Promise<number> {
    let stored = 0;
    for (let first = 0; first < reports.length; first += REPORTS_AT_ONCE) {
      const words = reports.slice(first, first + REPORTS_AT_ONCE).flatMap(wordsOf);
      const head = [HEALTH_SCRIPT, 1, this.#keys.health, this.#keys.events, MAX_DESTINATIONS];
      const count = await this.#connection.run((client) => client.call('EVAL', [...head, ...words]), {
        writes: true,
      });
      stored += Number(count);
    }
    return stored;
  }

  async read(): Promise<readonly HealthReport[]> {
    const [time, entries] = await this.#connection.run(
      (client) => Promise.all([client.time(), client.call('HGETALL', this.#keys.health)]),
      { limitMs: READ_LIMIT_MS },
    );
    const nowMs = Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000);
    return parseEntries(entries as string[], nowMs);
  }

  watch(onReports: (reports: readonly HealthReport[]) => void): void {
    this.#feed.listen({ onHealth: onReports });
  }
}

function wordsOf({ cluster, destination, healthy, sequence, ttlMs, reason }: HealthReport): string[] {
  return [cluster, destination, String(healthy), String(sequence), String(Math.ceil(ttlMs)), reason ?? ''];
}

/** Takes field, text, field, text, …; what is no report, or has expired, is left out. */
async function parseEntries(entries: readonly string[], nowMs: number): Promise<HealthReport[]> {
  const breather = new Breather();
  const reports: HealthReport[] = [];
  for (let index = 0; index + 1 < entries.length; index += 2) {
    const report = parseEntry(entries[index] ?? '', entries[index + 1] ?? '', nowMs);
    if (report !== null) reports.push(report);
    if (breather.isDue) await breather.breathe();
  }
  return reports;
}

function parseEntry(field: string, text: string, nowMs: number): HealthReport | null {
  const separator = field.indexOf('/');
  const entry = parseObject(text);
  if (entry === null || separator < 1) return null;
  const { healthy, sequence, expiresAtMs, reason } = entry;
  if (typeof healthy !== 'boolean' || !Number.isSafeInteger(sequence)) return null;
  const ttlMs = Number(expiresAtMs) - nowMs;
  if (!(ttlMs > 0)) return null;
  return {
    cluster: field.slice(0, separator),
    destination: field.slice(separator + 1),
    healthy,
    sequence: sequence as number,
    ttlMs,
    ...(typeof reason === 'string' ? { reason } : {}),
  };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
