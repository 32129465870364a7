import type { Configuration } from '../core/config/model.ts';
import type { HealthReport } from '../core/health/health-report.ts';
import type { ApiScope } from './api-scope.ts';
import { ControlError, type ControlPlane } from './control-plane.ts';
import {
  acceptedSchema,
  DEFAULT_HEALTH_TTL_MS,
  healthReportsSchema,
  healthSchema,
} from './health-schemas.ts';
import { emptyQuerySchema, jsonResponse, problemResponses } from './shared-schemas.ts';

/** More than these nobody reads: something else is wrong then. */
const MAX_UNKNOWN = 100;

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
        querystring: emptyQuerySchema,
        body: healthReportsSchema,
        response: {
          200: jsonResponse('Taken', acceptedSchema),
          ...problemResponses(400, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const reports = request.body.reports.map((report) => ({ ttlMs: DEFAULT_HEALTH_TTL_MS, ...report }));
      const accepted = await controlPlane.reportHealth(reports);
      return reply.send({ accepted, unknown: listUnknown(controlPlane, reports) });
    },
  );
}

/** The destinations that the configuration does not have: most likely somebody mistyped, or is ahead of it. */
function listUnknown(
  controlPlane: ControlPlane,
  reports: readonly HealthReport[],
): readonly { readonly cluster: string; readonly destination: string }[] {
  const clusters = currentClusters(controlPlane);
  const unknown = new Map<string, { cluster: string; destination: string }>();
  for (const { cluster, destination } of reports) {
    const destinations = clusters.get(cluster)?.destinations;
    if (destinations !== undefined && Object.hasOwn(destinations, destination)) continue;
    // Ids hold no space.
    unknown.set(`${cluster} ${destination}`, { cluster, destination });
    if (unknown.size === MAX_UNKNOWN) break;
  }
  return [...unknown.values()];
}

/** None where this instance has no configuration yet: the reports were taken all the same. */
function currentClusters(controlPlane: ControlPlane): Configuration['clusters'] {
  try {
    return controlPlane.current().configuration.clusters;
  } catch (error) {
    if (error instanceof ControlError) return new Map();
    throw error;
  }
}
