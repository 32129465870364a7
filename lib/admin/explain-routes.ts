import { ERRORS } from '../core/errors.ts';
import type { ExplainRequest } from '../core/explain/explanation.ts';
import type { ApiScope } from './api-scope.ts';
import { ControlError, type ControlPlane } from './control-plane.ts';
import { type ExplainBody, explainRequestSchema } from './explain-schemas.ts';
import { jsonResponse, problemResponses, refer } from './shared-schemas.ts';

type HeaderPair = readonly [name: string, value: string];

/** As many as any server takes. */
const MAX_HEADERS = 200;

/** What would become of a request. It changes nothing, and is a POST for the size of what it asks. */
export function addExplainRoutes(api: ApiScope, controlPlane: ControlPlane): void {
  api.post(
    '/explain',
    {
      config: { role: 'reader' },
      schema: {
        operationId: 'explainRequest',
        summary: 'Which route a request would take, why, and where it would go',
        tags: ['explain'],
        body: explainRequestSchema,
        response: {
          200: jsonResponse('The explanation', refer('Explanation')),
          ...problemResponses(400, 413, 415, 503),
        },
      },
    },
    async (request, reply) => reply.send(await controlPlane.explain(readExplainRequest(request.body))),
  );
}

function readExplainRequest({ method, url, headers, clientAddress }: ExplainBody): ExplainRequest {
  const pairs = listHeaders(headers ?? []);
  if (pairs.length > MAX_HEADERS) {
    throw new ControlError(
      ERRORS.invalidRequest,
      `the body: /headers: at most ${MAX_HEADERS} can be explained`,
    );
  }
  return { method, url, headers: pairs, ...(clientAddress === undefined ? {} : { clientAddress }) };
}

function listHeaders(headers: NonNullable<ExplainBody['headers']>): HeaderPair[] {
  if (Array.isArray(headers)) return headers.map(([name = '', value = '']) => [name, value]);
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((single): HeaderPair => [name, single]),
  );
}
