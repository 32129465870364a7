import type { ApiScope } from './api-scope.ts';
import {
  changeRequestShape,
  RECEIPT_RESPONSES,
  writeHeadersSchema,
  writeQuerySchema,
} from './change-schemas.ts';
import type { ControlPlane } from './control-plane.ts';
import { compileCheck } from './schema-validator.ts';
import { problemResponses, refer } from './shared-schemas.ts';
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
        headers: writeHeadersSchema,
        body: refer('ChangeRequest'),
        response: {
          ...RECEIPT_RESPONSES,
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
