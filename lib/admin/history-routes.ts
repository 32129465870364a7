import type { ApiScope } from './api-scope.ts';
import {
  historyQuerySchema,
  historySchema,
  RECEIPT_RESPONSES,
  rollbackRequestSchema,
  writeHeadersSchema,
  writeQuerySchema,
} from './change-schemas.ts';
import type { ControlPlane, HistoryEntry } from './control-plane.ts';
import { streamSlices } from './json-stream.ts';
import { jsonResponse, problemResponses } from './shared-schemas.ts';
import { Turns } from './turns.ts';
import { readWriteTerms, sendReceipt } from './write-terms.ts';

const DEFAULT_LIMIT = 50;
/** A client that takes longer for its answer is cut off: others wait for their turn. */
const MAX_TURN_MS = 30_000;

/** What was changed, and the way back. */
export function addHistoryRoutes(api: ApiScope, controlPlane: ControlPlane): void {
  // A page of history can be large, and is in memory as a whole until the client has taken it.
  const turns = new Turns('reads of the history');
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
      const { raw } = reply;
      const endTurn = await turns.take();
      const timer = setTimeout(() => raw.destroy(), MAX_TURN_MS);
      const end = (): void => {
        clearTimeout(timer);
        endTurn();
      };
      // Also where the handler fails or the client is gone: every answer closes once, well or badly.
      if (raw.destroyed) end();
      else raw.once('close', end);
      const entries = raw.destroyed ? [] : await controlPlane.history(limit, before);
      return reply.type('application/json').send(streamSlices(historySlices(entries)));
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
        headers: writeHeadersSchema,
        body: rollbackRequestSchema,
        response: { ...RECEIPT_RESPONSES, ...problemResponses(400, 404, 409, 412, 413, 415, 422, 503) },
      },
    },
    async (request, reply) => {
      const { revision, message } = request.body;
      request.audit.targetRevision = revision;
      const terms = readWriteTerms(request, request.query, message);
      return sendReceipt(request, reply, await controlPlane.rollback({ ...terms, revision }));
    },
  );
}

/** Entry by entry of what was changed: one change can be of a thousand large ones. */
function* historySlices(entries: readonly HistoryEntry[]): Generator<string, void> {
  yield '{"entries":[';
  for (const [index, { difference, ...change }] of entries.entries()) {
    yield `${index === 0 ? '' : ','}${JSON.stringify(change).slice(0, -1)},"difference":[`;
    for (const [place, entry] of difference.entries()) {
      yield (place === 0 ? '' : ',') + JSON.stringify(entry);
    }
    yield ']}';
  }
  yield ']}';
}
