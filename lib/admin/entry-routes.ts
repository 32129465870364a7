import { COLLECTIONS, type Kind } from '../core/config/model.ts';
import { ERRORS } from '../core/errors.ts';
import type { ApiScope } from './api-scope.ts';
import {
  CREATED_RESPONSE,
  entryWriteHeadersSchema,
  LATE_CREATION_RESPONSE,
  messageQuerySchema,
  RECEIPT_RESPONSES,
  writeHeadersSchema,
} from './change-schemas.ts';
import { entryParamsSchema, entrySchemaName } from './config-schemas.ts';
import { type ChangeReceipt, ControlError, type ControlPlane } from './control-plane.ts';
import { nameRevision, readEntryCondition } from './revision-tag.ts';
import {
  jsonResponse,
  NOT_MODIFIED,
  problemResponses,
  READ_HEADERS,
  readHeadersSchema,
  refer,
} from './shared-schemas.ts';
import { readWriteTerms, sendReceipt } from './write-terms.ts';

/** Single entries of one kind. */
export function addEntryRoutes(api: ApiScope, controlPlane: ControlPlane, kind: Kind): void {
  const collection = COLLECTIONS[kind];
  const name = entrySchemaName(kind);
  const path = `/${collection}/:id`;

  api.get(
    path,
    {
      config: { role: 'reader' },
      schema: {
        operationId: `get${name}`,
        summary: `One ${kind}`,
        tags: [collection],
        params: entryParamsSchema(kind),
        headers: readHeadersSchema,
        response: {
          200: jsonResponse(`The ${kind}`, refer(name), READ_HEADERS),
          ...NOT_MODIFIED,
          ...problemResponses(400, 404, 414, 503),
        },
      },
    },
    (request, reply) => {
      const { head, configuration } = controlPlane.current();
      const value = configuration[collection].get(request.params.id);
      if (value === undefined)
        throw new ControlError(ERRORS.notFound, `there is no ${kind} "${request.params.id}"`);
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
        params: entryParamsSchema(kind),
        querystring: messageQuerySchema,
        headers: entryWriteHeadersSchema,
        body: refer(name),
        response: {
          ...RECEIPT_RESPONSES,
          ...CREATED_RESPONSE,
          ...LATE_CREATION_RESPONSE,
          ...problemResponses(400, 409, 412, 413, 414, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const terms = readWriteTerms(request, request.query, request.query.message, true);
      const requires = readEntryCondition(request.headers, kind, id);
      const receipt = await controlPlane.change({
        ...terms,
        ...(requires === null ? {} : { requires }),
        content: { operations: [{ op: 'put', kind, id, value: request.body }] },
      });
      const createdPath = isCreated(receipt, kind, id) ? `${api.prefix}/${collection}/${id}` : null;
      return sendReceipt(request, reply, receipt, createdPath);
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
        params: entryParamsSchema(kind),
        querystring: messageQuerySchema,
        headers: writeHeadersSchema,
        response: {
          ...RECEIPT_RESPONSES,
          ...problemResponses(400, 404, 409, 412, 413, 414, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const terms = readWriteTerms(request, request.query, request.query.message);
      const receipt = await controlPlane.change({
        ...terms,
        // Decided where the change is made: between a look from here and the change others may write.
        requires: { kind, id, present: true, otherwise: ERRORS.notFound },
        content: { operations: [{ op: 'delete', kind, id }] },
      });
      return sendReceipt(request, reply, receipt);
    },
  );
}

/** What the change itself found, and not what was there before it was asked for. */
function isCreated({ changed, difference }: ChangeReceipt, kind: Kind, id: string): boolean {
  return (
    changed && difference.some((entry) => entry.action === 'add' && entry.kind === kind && entry.id === id)
  );
}
