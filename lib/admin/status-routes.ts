import type { ApiScope } from './api-scope.ts';
import type { ControlPlane } from './control-plane.ts';
import { jsonResponse, problemResponses, refer } from './shared-schemas.ts';
import { instancesSchema } from './status-schemas.ts';

/** How this instance is, and how all of them are. */
export function addStatusRoutes(api: ApiScope, controlPlane: ControlPlane): void {
  api.get(
    '/status',
    {
      config: { role: 'reader' },
      schema: {
        operationId: 'getStatus',
        summary: 'How this instance is',
        tags: ['status'],
        response: { 200: jsonResponse('The status', refer('InstanceStatus')), ...problemResponses() },
      },
    },
    (_request, reply) => reply.send(controlPlane.status()),
  );
  api.get(
    '/instances',
    {
      config: { role: 'reader' },
      schema: {
        operationId: 'getInstances',
        summary: 'How all instances on this store are',
        tags: ['status'],
        response: { 200: jsonResponse('The fleet', instancesSchema), ...problemResponses(503) },
      },
    },
    async (_request, reply) => reply.send({ instances: await controlPlane.instances() }),
  );
}
