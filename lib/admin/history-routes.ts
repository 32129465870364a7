import type { ApiScope } from './api-scope.ts';
import {
  historyQuerySchema,
  historySchema,
  receiptSchema,
  rollbackRequestSchema,
  writeQuerySchema,
} from './change-schemas.ts';
import type { ControlPlane } from './control-plane.ts';
import { ETAG_HEADER, jsonResponse, problemResponses } from './shared-schemas.ts';
import { readWriteTerms, sendReceipt } from './write-terms.ts';

const DEFAULT_LIMIT = 50;

/** What was changed, and the way back. */
export function addHistoryRoutes(api: ApiScope, controlPlane: ControlPlane): void {
  api.get(
    '/history',
    {
      config: { role: 'reader' },
      schema: {
        operationId: 'getHistory',
        summary: 'The changes that were made',
        tags: ['history'],
        querystring: historyQuerySchema,
        response: { 200: jsonResponse('The changes', historySchema), ...problemResponses(400, 409, 503) },
      },
    },
    async (request, reply) => {
      const { limit = DEFAULT_LIMIT, before } = request.query;
      return reply.send({ entries: await controlPlane.history(limit, before) });
    },
  );
  api.post(
    '/rollback',
    {
      config: { role: 'admin', writes: true },
      schema: {
        operationId: 'rollBack',
        summary: 'Makes the configuration what it was at a revision, as a new revision',
        tags: ['history'],
        querystring: writeQuerySchema,
        body: rollbackRequestSchema,
        response: {
          200: jsonResponse('Done', receiptSchema, ETAG_HEADER),
          202: jsonResponse('Written, and not confirmed by everybody in time', receiptSchema, ETAG_HEADER),
          ...problemResponses(400, 404, 409, 412, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { revision, message } = request.body;
      const terms = readWriteTerms(request, request.query, message);
      return sendReceipt(request, reply, await controlPlane.rollback({ ...terms, revision }));
    },
  );
}
