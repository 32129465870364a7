import Type from 'typebox';
import type { ApiScope } from './api-scope.ts';
import type { ControlPlane } from './control-plane.ts';
import { closed, jsonResponse, problemResponses } from './shared-schemas.ts';

const restartSchema = Type.Object({ restarting: Type.Literal(true) }, closed);

export function addWorkerRoutes(api: ApiScope, controlPlane: ControlPlane): void {
  api.post(
    '/workers/restart',
    {
      config: { role: 'operator', writes: true },
      schema: {
        operationId: 'restartWorkers',
        summary: 'Replaces the workers of this instance one by one, without losing a request',
        tags: ['workers'],
        response: { 202: jsonResponse('It has begun', restartSchema), ...problemResponses(503) },
      },
    },
    (_request, reply) => {
      controlPlane.restartWorkers();
      return reply.code(202).send({ restarting: true });
    },
  );
}
