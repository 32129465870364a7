import type { ErrorDefinition } from '../core/errors.ts';
import type { AccessLines } from '../telemetry/access-lines.ts';
import { quoteJson } from '../telemetry/quote-json.ts';

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
  readonly #lines: AccessLines;
  readonly #rate: number;

  /** @param rate share of the requests that are logged, above 0 and up to 1 */
  constructor(lines: AccessLines, rate: number) {
    this.#lines = lines;
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
    const who = `"requestId":${quoteJson(requestId)},"client":${quoteJson(client)}`;
    this.#lines.write(`${who},"status":${error.status},"code":"${error.code}"`);
  }

  write(record: AccessRecord): void {
    this.#lines.write(formatRecord(record));
  }
}

/** By hand, as a serialiser would look at each field to find out what is known here. The order is that of AccessRecord. */
function formatRecord(record: AccessRecord): string {
  const { requestId, client, method, host, path, status, code, route, cluster, destination } = record;
  const { consumer, attempts, revision, durationMs, upstreamMs, requestBytes, responseBytes } = record;
  return (
    `"requestId":${quoteJson(requestId)},"client":${quoteJson(client)},"method":${quoteJson(method)}` +
    `,"host":${quoteJson(host)},"path":${quoteJson(path)},"status":${status},"code":${quoteOrNull(code)}` +
    `,"route":${quoteOrNull(route)},"cluster":${quoteOrNull(cluster)},"destination":${quoteOrNull(destination)}` +
    `,"consumer":${quoteOrNull(consumer)},"attempts":${attempts},"revision":${revision}` +
    `,"durationMs":${durationMs},"upstreamMs":${upstreamMs}` +
    `,"requestBytes":${requestBytes},"responseBytes":${responseBytes}`
  );
}

function quoteOrNull(text: string | null): string {
  return text === null ? 'null' : quoteJson(text);
}
