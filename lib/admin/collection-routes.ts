import type { FastifyReply, FastifyRequest } from 'fastify';
import { collectionSlices } from '../core/config/document.ts';
import { COLLECTIONS, type Kind } from '../core/config/model.ts';
import { isPlainObject } from '../core/config/plain-data.ts';
import { ERRORS } from '../core/errors.ts';
import type { ApiScope } from './api-scope.ts';
import {
  messageQuerySchema,
  RECEIPT_RESPONSES,
  type WriteQuery,
  writeHeadersSchema,
} from './change-schemas.ts';
import { collectionSchemaName } from './config-schemas.ts';
import { ControlError, type ControlPlane } from './control-plane.ts';
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

/** All entries of one kind. */
export function addCollectionRoutes(
  api: ApiScope,
  controlPlane: ControlPlane,
  kind: Kind,
  bodyLimit: number,
): void {
  const collection = COLLECTIONS[kind];
  const name = collectionSchemaName(kind);
  api.get(
    `/${collection}`,
    {
      config: { role: 'reader' },
      schema: {
        operationId: `get${name}`,
        summary: `All ${collection}, by id`,
        tags: [collection],
        headers: readHeadersSchema,
        response: {
          200: jsonResponse(`The ${collection}`, refer(name), READ_HEADERS),
          ...NOT_MODIFIED,
          ...problemResponses(503),
        },
      },
    },
    (request, reply) => {
      const { head, configuration } = controlPlane.current();
      if (nameRevision(request, reply, head)) return reply.code(304).send();
      return reply.type('application/json').send(streamSlices(collectionSlices(configuration[collection])));
    },
  );
  api.put(
    `/${collection}`,
    {
      bodyLimit,
      config: { role: 'admin', writes: true },
      schema: {
        operationId: `replace${name}`,
        summary: `Replaces all ${collection}, as one step`,
        tags: [collection],
        querystring: messageQuerySchema,
        headers: writeHeadersSchema,
        body: refer(name),
        response: { ...RECEIPT_RESPONSES, ...problemResponses(400, 409, 412, 413, 415, 422, 503) },
      },
    },
    (request, reply) => {
      const { body } = request;
      if (!isPlainObject(body))
        throw new ControlError(ERRORS.invalidRequest, 'the body must be an object, by id');
      return replace(request, reply, request.query, body);
    },
  );
  api.delete(
    `/${collection}`,
    {
      config: { role: 'admin', writes: true },
      schema: {
        operationId: `delete${name}`,
        summary: `Deletes all ${collection}, as one step`,
        tags: [collection],
        querystring: messageQuerySchema,
        headers: writeHeadersSchema,
        response: { ...RECEIPT_RESPONSES, ...problemResponses(400, 409, 412, 413, 415, 422, 503) },
      },
    },
    (request, reply) => replace(request, reply, request.query, {}),
  );

  async function replace(
    request: FastifyRequest,
    reply: FastifyReply,
    query: WriteQuery,
    entries: unknown,
  ): Promise<FastifyReply> {
    const terms = readWriteTerms(request, query, query.message);
    return sendReceipt(request, reply, await controlPlane.change({ ...terms, content: { kind, entries } }));
  }
}
