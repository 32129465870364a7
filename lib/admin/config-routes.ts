import { documentSlices } from '../core/config/document.ts';
import type { ApiScope } from './api-scope.ts';
import { messageQuerySchema, RECEIPT_RESPONSES, writeHeadersSchema } from './change-schemas.ts';
import type { ControlPlane } from './control-plane.ts';
import { streamSlices } from './json-stream.ts';
import { nameRevision } from './revision-tag.ts';
import {
  jsonResponse,
  NOT_MODIFIED,
  problemResponses,
  READ_HEADERS,
  readHeadersSchema,
  refer,
} from './shared-schemas.ts';
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
        headers: readHeadersSchema,
        response: {
          200: jsonResponse('The document', refer('Configuration'), READ_HEADERS),
          ...NOT_MODIFIED,
          ...problemResponses(503),
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
        headers: writeHeadersSchema,
        body: refer('Configuration'),
        response: {
          ...RECEIPT_RESPONSES,
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
