import Type from 'typebox';
import type { ApiScope } from './api-scope.ts';
import type { ControlPlane } from './control-plane.ts';
import { closed, emptyQuerySchema, jsonResponse, problemResponses, refer } from './shared-schemas.ts';
import { instancesSchema } from './status-schemas.ts';

const restartSchema = Type.Object({ restarting: Type.Literal(true) }, closed);

/** How this instance is and how all of them are; and its workers. */
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
  api.post(
    '/workers/restart',
    {
      config: { role: 'operator', writes: true },
      schema: {
        operationId: 'restartWorkers',
        summary: 'Replaces the workers of this instance one by one, without losing a request',
        tags: ['workers'],
        querystring: emptyQuerySchema,
        response: {
          202: jsonResponse('It has begun', restartSchema),
          ...problemResponses(400, 413, 415, 503),
        },
      },
    },
    (_request, reply) => {
      controlPlane.restartWorkers();
      return reply.code(202).send({ restarting: true });
    },
  );
}
