import type { FastifyReply } from 'fastify';
import type { ApiScope } from './api-scope.ts';

/** What the probes ask. */
export interface ProbeSource {
  /** Why the instance is not ready; null when every worker serves the current configuration. */
  notReadyBecause(): string | null;
  metricsContentType(): string;
  renderMetrics(): Promise<string>;
}

/** Health, readiness and metrics, which need no token: what asks for them has none. */
export function addProbeRoutes(app: ApiScope, source: ProbeSource): void {
  app.get(
    '/healthz',
    { schema: describe('getHealthz', 'Whether the process lives', 200) },
    (_request, reply) => sendText(reply, 200, 'ok\n'),
  );
  const readiness = describe('getReadyz', 'Whether every worker serves the current configuration', 200, 503);
  app.get('/readyz', { schema: readiness }, (_request, reply) => {
    const reason = source.notReadyBecause();
    return reason === null ? sendText(reply, 200, 'ready\n') : sendText(reply, 503, `not ready: ${reason}\n`);
  });
  // Anybody may ask, and to gather from all workers and to render costs much: who asks meanwhile gets the same.
  let underWay: Promise<string> | null = null;
  const renderShared = (): Promise<string> => {
    underWay ??= source.renderMetrics().finally(() => {
      underWay = null;
    });
    return underWay;
  };
  app.get(
    '/metrics',
    { schema: describe('getMetrics', 'Metrics for Prometheus', 200) },
    async (_request, reply) => reply.type(source.metricsContentType()).send(await renderShared()),
  );
}

function describe(operationId: string, summary: string, ...statuses: readonly number[]): object {
  const response = { description: summary, content: { 'text/plain': { schema: { type: 'string' } } } };
  return {
    operationId,
    summary,
    tags: ['probes'],
    security: [],
    response: Object.fromEntries(statuses.map((status) => [status, response])),
  };
}

function sendText(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain').send(text);
}
