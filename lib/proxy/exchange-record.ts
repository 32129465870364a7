import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { shortenConsumer, shortenPath } from './access-log.ts';
import type { AdmittedRequest } from './admission.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { UpstreamAttempts } from './upstream-attempts.ts';

/** A finished exchange, for the metrics and the logs. */
export interface FinishedExchange {
  readonly requestId: string;
  readonly clientAddress: string;
  readonly method: string;
  /** Null where the request was refused before it was understood. */
  readonly request: AdmittedRequest | null;
  readonly route: ProxiedRoute | null;
  /** Who sent it; null where nobody had to say. */
  readonly consumer: string | null;
  readonly attempts: UpstreamAttempts | null;
  readonly status: number;
  readonly error: ErrorDefinition | null;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** Step 6 of a request: counts it and, where that is wanted, logs it. */
export function recordExchange(context: ProxyContext, exchange: FinishedExchange): void {
  const stats = exchange.route?.stats ?? context.unroutedStats;
  stats.end(exchange.status, exchange.durationMs);
  if (exchange.error === ERRORS.rateLimited) stats.countRateLimited();
  const { accessLog } = context;
  if (accessLog?.wants(exchange.status, exchange.error?.code ?? null)) {
    const { requestId, method, request, route, consumer, attempts } = exchange;
    accessLog.write({
      requestId,
      client: exchange.clientAddress,
      method,
      host: request?.host ?? '',
      path: shortenPath(request?.path ?? ''),
      status: exchange.status,
      code: exchange.error?.code ?? null,
      route: route?.id ?? null,
      cluster: route?.cluster.id ?? null,
      destination: attempts?.destination?.id ?? null,
      consumer: shortenConsumer(consumer),
      attempts: attempts?.count ?? 0,
      revision: context.revision,
      durationMs: roundMs(exchange.durationMs),
      upstreamMs: roundOrNull(attempts?.headLatencyMs ?? null),
      requestBytes: exchange.requestBytes,
      responseBytes: exchange.responseBytes,
    });
  }
  if (exchange.error?.side === 'origin') logFailure(context, exchange);
}

/** Says which destination failed and how, which the answer to the client must not. */
function logFailure(context: ProxyContext, exchange: FinishedExchange): void {
  context.logger.warn(
    {
      requestId: exchange.requestId,
      code: exchange.error?.code,
      route: exchange.route?.id,
      cluster: exchange.route?.cluster.id,
      destination: exchange.attempts?.destination?.id,
      attempts: exchange.attempts?.count,
      detail: exchange.attempts?.failureDetail,
    },
    'origin failed',
  );
}

/** Milliseconds to a hundredth, as finer says nothing. */
export function roundMs(durationMs: number): number {
  return Math.round(durationMs * 100) / 100;
}

function roundOrNull(durationMs: number | null): number | null {
  return durationMs === null ? null : roundMs(durationMs);
}
