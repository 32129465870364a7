import { COLLECTIONS, type Kind } from '../core/config/model.ts';
import { ERRORS } from '../core/errors.ts';
import type { ApiScope } from './api-scope.ts';
import { messageQuerySchema, receiptSchema } from './change-schemas.ts';
import { nameRevision } from './config-read.ts';
import { entryParamsSchema, entrySchemaName } from './config-schemas.ts';
import { ControlError, type ControlPlane } from './control-plane.ts';
import { parseIfMatch } from './revision-tag.ts';
import { ETAG_HEADER, jsonResponse, NOT_MODIFIED, problemResponses, refer } from './shared-schemas.ts';
import { readWriteTerms, sendReceipt } from './write-terms.ts';

const RECEIPT = jsonResponse('Done', receiptSchema, ETAG_HEADER);
const LATE_RECEIPT = jsonResponse(
  'Written, and not confirmed by everybody in time',
  receiptSchema,
  ETAG_HEADER,
);

/** Single entries of one kind. */
export function addEntryRoutes(api: ApiScope, controlPlane: ControlPlane, kind: Kind): void {
  const collection = COLLECTIONS[kind];
  const name = entrySchemaName(kind);
  const path = `/${collection}/:id`;
  const isPresent = (id: string): boolean => controlPlane.current().configuration[collection].has(id);

  api.get(
    path,
    {
      config: { role: 'reader' },
      schema: {
        operationId: `get${name}`,
        summary: `One ${kind}`,
        tags: [collection],
        params: entryParamsSchema,
        response: {
          200: jsonResponse(`The ${kind}`, refer(name), ETAG_HEADER),
          ...NOT_MODIFIED,
          ...problemResponses(400, 404),
        },
      },
    },
    (request, reply) => {
      const { head, configuration } = controlPlane.current();
      const value = configuration[collection].get(request.params.id);
      if (value === undefined) throw missingEntry(kind, request.params.id);
      if (nameRevision(request, reply, head)) return reply.code(304).send();
      return reply.send(value);
    },
  );
  api.put(
    path,
    {
      config: { role: 'admin', writes: true },
      schema: {
        operationId: `put${name}`,
        summary: `Creates or replaces one ${kind}`,
        tags: [collection],
        params: entryParamsSchema,
        querystring: messageQuerySchema,
        body: refer(name),
        response: {
          200: RECEIPT,
          201: jsonResponse('Created', receiptSchema, ETAG_HEADER),
          202: LATE_RECEIPT,
          ...problemResponses(400, 409, 412, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const wasPresent = isPresent(id);
      const terms = readWriteTerms(request, request.query, request.query.message);
      if (!wasPresent && parseIfMatch(request.headers['if-match']).kind === 'any')
        throw nothingToReplace(kind, id);
      const operations = [{ op: 'put', kind, id, value: request.body }];
      const receipt = await controlPlane.change({ ...terms, content: { operations } });
      const isCreated = receipt.changed && !wasPresent;
      return sendReceipt(request, reply, receipt, isCreated ? `${api.prefix}/${collection}/${id}` : null);
    },
  );
  api.delete(
    path,
    {
      config: { role: 'admin', writes: true },
      schema: {
        operationId: `delete${name}`,
        summary: `Deletes one ${kind}`,
        tags: [collection],
        params: entryParamsSchema,
        querystring: messageQuerySchema,
        response: { 200: RECEIPT, 202: LATE_RECEIPT, ...problemResponses(400, 404, 409, 412, 422, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const terms = readWriteTerms(request, request.query, request.query.message);
      if (!isPresent(id)) throw missingEntry(kind, id);
      const operations = [{ op: 'delete', kind, id }];
      return sendReceipt(request, reply, await controlPlane.change({ ...terms, content: { operations } }));
    },
  );
}

function missingEntry(kind: Kind, id: string): ControlError {
  return new ControlError(ERRORS.notFound, `there is no ${kind} "${id}"`);
}

function nothingToReplace(kind: Kind, id: string): ControlError {
  const detail = `there is no ${kind} "${id}" to replace: leave If-Match: * out to create it`;
  return new ControlError(ERRORS.revisionConflict, detail);
}
