import type { ApiScope } from './api-scope.ts';
import { changeRequestShape, receiptSchema, writeQuerySchema } from './change-schemas.ts';
import type { ControlPlane } from './control-plane.ts';
import { compileCheck } from './schema-validator.ts';
import { ETAG_HEADER, jsonResponse, problemResponses, refer } from './shared-schemas.ts';
import { readWriteTerms, sendReceipt } from './write-terms.ts';

const checkShape = compileCheck(changeRequestShape, 'body');

/** Several operations as one step. */
export function addChangeRoutes(api: ApiScope, controlPlane: ControlPlane, bodyLimit: number): void {
  api.post(
    '/changes',
    {
      bodyLimit,
      config: { role: 'admin', writes: true },
      schema: {
        operationId: 'changeConfiguration',
        summary: 'Puts and deletes entries, as one step',
        tags: ['configuration'],
        querystring: writeQuerySchema,
        body: refer('ChangeRequest'),
        response: {
          200: jsonResponse('Done', receiptSchema, ETAG_HEADER),
          202: jsonResponse('Written, and not confirmed by everybody in time', receiptSchema, ETAG_HEADER),
          ...problemResponses(400, 409, 412, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      checkShape(body);
      const { ops, message } = body as { readonly ops: readonly unknown[]; readonly message?: string };
      const terms = readWriteTerms(request, request.query, message);
      const receipt = await controlPlane.change({ ...terms, content: { operations: ops } });
      return sendReceipt(request, reply, receipt);
    },
  );
}
