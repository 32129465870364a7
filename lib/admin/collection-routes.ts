import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { collectionSlices } from '../core/config/document.ts';
import { COLLECTIONS, type Kind } from '../core/config/model.ts';
import { isPlainObject } from '../core/config/plain-data.ts';
import { ERRORS } from '../core/errors.ts';
import type { ApiScope } from './api-scope.ts';
import { messageQuerySchema, receiptSchema, type WriteQuery } from './change-schemas.ts';
import { nameRevision } from './config-read.ts';
import { collectionSchemaName } from './config-schemas.ts';
import { type ChangeReceipt, ControlError, type ControlPlane } from './control-plane.ts';
import { streamSlices } from './json-stream.ts';
import { ETAG_HEADER, jsonResponse, NOT_MODIFIED, problemResponses, refer } from './shared-schemas.ts';
import { readWriteTerms, sendReceipt, type WriteTerms } from './write-terms.ts';

/** So many operations are made between two turns of the event loop: about a millisecond. */
const OPERATIONS_PER_TURN = 5_000;
/** So often other writers may come in between. */
const MAX_ATTEMPTS = 3;

const WRITE_RESPONSES = {
  200: jsonResponse('Done', receiptSchema, ETAG_HEADER),
  202: jsonResponse('Written, and not confirmed by everybody in time', receiptSchema, ETAG_HEADER),
};

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
        response: {
          200: jsonResponse(`The ${collection}`, refer(name), ETAG_HEADER),
          ...NOT_MODIFIED,
          ...problemResponses(),
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
        body: refer(name),
        response: { ...WRITE_RESPONSES, ...problemResponses(400, 409, 412, 413, 415, 422, 503) },
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
        response: { ...WRITE_RESPONSES, ...problemResponses(400, 409, 412, 422, 503) },
      },
    },
    (request, reply) => replace(request, reply, request.query, {}),
  );

  async function replace(
    request: FastifyRequest,
    reply: FastifyReply,
    query: WriteQuery,
    values: Readonly<Record<string, unknown>>,
  ): Promise<FastifyReply> {
    const terms = readWriteTerms(request, query, query.message);
    return sendReceipt(request, reply, await replaceCollection(controlPlane, kind, values, terms));
  }
}

/**
 * The deletes are made against what is held, so the change is only right on that revision: without one of
 * the client's, it is made anew where somebody else was quicker.
 */
async function replaceCollection(
  controlPlane: ControlPlane,
  kind: Kind,
  values: Readonly<Record<string, unknown>>,
  terms: WriteTerms,
): Promise<ChangeReceipt> {
  for (let attempt = 1; ; attempt += 1) {
    const { head, configuration } = controlPlane.current();
    const presentIds = [...configuration[COLLECTIONS[kind]].keys()];
    const operations = await listOperations(kind, values, presentIds);
    try {
      return await controlPlane.change({
        expectedRevision: head.revision,
        ...terms,
        content: { operations },
      });
    } catch (error) {
      const isRetried = terms.expectedRevision === undefined && attempt < MAX_ATTEMPTS;
      if (!isRetried || !isRevisionConflict(error)) throw error;
    }
  }
}

function isRevisionConflict(error: unknown): boolean {
  return error instanceof ControlError && error.definition === ERRORS.revisionConflict;
}

async function listOperations(
  kind: Kind,
  values: Readonly<Record<string, unknown>>,
  presentIds: readonly string[],
): Promise<unknown[]> {
  const operations: unknown[] = [];
  const add = async (operation: unknown): Promise<void> => {
    operations.push(operation);
    if (operations.length % OPERATIONS_PER_TURN === 0) await nextTurn();
  };
  for (const id of Object.keys(values)) await add({ op: 'put', kind, id, value: values[id] });
  for (const id of presentIds) if (!Object.hasOwn(values, id)) await add({ op: 'delete', kind, id });
  return operations;
}
