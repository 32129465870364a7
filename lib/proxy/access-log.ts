import type { Logger } from 'pino';
import type { ErrorDefinition } from '../core/errors.ts';

/** What is said of one finished request. Paths are logged without their query: queries carry secrets. */
export interface AccessRecord {
  readonly requestId: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  readonly code: string | null;
  readonly route: string | null;
  readonly cluster: string | null;
  readonly destination: string | null;
  /** Who sent it, as authentication found; null where it was not asked. */
  readonly consumer: string | null;
  readonly attempts: number;
  readonly revision: number;
  readonly durationMs: number;
  /** Until the head of the origin's response; null where there was none. */
  readonly upstreamMs: number | null;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** A log line must stay below what a pipe writes in one piece (4 kB). */
const LONGEST_PATH = 1_024;
/** Issuers choose subjects as they like. */
const LONGEST_CONSUMER = 256;

/** A path as it is logged. */
export function shortenPath(path: string): string {
  return path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…` : path;
}

/** The name of a consumer as it is logged. */
export function shortenConsumer(consumer: string | null): string | null {
  return consumer?.slice(0, LONGEST_CONSUMER) ?? null;
}

/** Writes a line a request, or a sample of them. Failures (5xx, broken off) are always written. */
export class AccessLog {
  readonly #logger: Logger;
  readonly #rate: number;

  /** @param rate share of the requests that are logged, above 0 and up to 1 */
  constructor(logger: Logger, rate: number) {
    this.#logger = logger;
    this.#rate = rate;
  }

  /** Asked first, so that nothing is put together for a line that is not written. */
  wants(status: number, code: string | null): boolean {
    return (
      this.#rate >= 1 || status >= 500 || (code !== null && status === 499) || Math.random() < this.#rate
    );
  }

  /** A line for what never became a request: bytes that are not HTTP, too slow, too large. */
  writeRefusal(requestId: string, client: string, error: ErrorDefinition): void {
    if (!this.wants(error.status, error.code)) return;
    this.#logger.info({ requestId, client, status: error.status, code: error.code }, 'request');
  }

  write(record: AccessRecord): void {
    this.#logger.info(record, 'request');
  }
}
