import { documentSlices } from '../core/config/document.ts';
import type { ApiScope } from './api-scope.ts';
import { messageQuerySchema, receiptSchema } from './change-schemas.ts';
import { nameRevision } from './config-read.ts';
import type { ControlPlane } from './control-plane.ts';
import { streamSlices } from './json-stream.ts';
import { ETAG_HEADER, jsonResponse, NOT_MODIFIED, problemResponses, refer } from './shared-schemas.ts';
import { readWriteTerms, sendReceipt } from './write-terms.ts';

/** The configuration as a whole. */
export function addConfigRoutes(api: ApiScope, controlPlane: ControlPlane, bodyLimit: number): void {
  api.get(
    '/config',
    {
      config: { role: 'reader' },
      schema: {
        operationId: 'getConfiguration',
        summary: 'The whole configuration',
        tags: ['configuration'],
        response: {
          200: jsonResponse('The document', refer('Configuration'), ETAG_HEADER),
          ...NOT_MODIFIED,
          ...problemResponses(),
        },
      },
    },
    (request, reply) => {
      const { head, configuration } = controlPlane.current();
      if (nameRevision(request, reply, head)) return reply.code(304).send();
      return reply.type('application/json').send(streamSlices(documentSlices(configuration)));
    },
  );
  api.put(
    '/config',
    {
      bodyLimit,
      config: { role: 'admin', writes: true },
      schema: {
        operationId: 'replaceConfiguration',
        summary: 'Replaces the whole configuration by a document, as one step',
        tags: ['configuration'],
        querystring: messageQuerySchema,
        body: refer('Configuration'),
        response: {
          200: jsonResponse('Done', receiptSchema, ETAG_HEADER),
          202: jsonResponse('Written, and not confirmed by everybody in time', receiptSchema, ETAG_HEADER),
          ...problemResponses(400, 409, 412, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const terms = readWriteTerms(request, request.query, request.query.message);
      const receipt = await controlPlane.change({ ...terms, content: { document: request.body } });
      return sendReceipt(request, reply, receipt);
    },
  );
}
