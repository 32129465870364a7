import type { ApiScope } from './api-scope.ts';
import type { ControlPlane } from './control-plane.ts';
import {
  acceptedSchema,
  DEFAULT_HEALTH_TTL_MS,
  healthReportsSchema,
  healthSchema,
} from './health-schemas.ts';
import { jsonResponse, problemResponses } from './shared-schemas.ts';

/** What consoles found out about destinations. */
export function addHealthRoutes(api: ApiScope, controlPlane: ControlPlane, bodyLimit: number): void {
  api.get(
    '/health',
    {
      config: { role: 'reader' },
      schema: {
        operationId: 'getHealth',
        summary: 'What is known of the health of destinations',
        tags: ['health'],
        response: { 200: jsonResponse('The reports', healthSchema), ...problemResponses() },
      },
    },
    (_request, reply) => reply.send({ reports: controlPlane.health() }),
  );
  api.post(
    '/health',
    {
      bodyLimit,
      config: { role: 'operator', writes: true },
      schema: {
        operationId: 'reportHealth',
        summary: 'Says how destinations are; without another report they are usable again in the end',
        tags: ['health'],
        body: healthReportsSchema,
        response: {
          200: jsonResponse('Taken', acceptedSchema),
          ...problemResponses(400, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const reports = request.body.reports.map((report) => ({ ttlMs: DEFAULT_HEALTH_TTL_MS, ...report }));
      return reply.send({ accepted: await controlPlane.reportHealth(reports) });
    },
  );
}
