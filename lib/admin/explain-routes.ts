import { ERRORS } from '../core/errors.ts';
import type { ExplainRequest } from '../core/explain/explanation.ts';
import { hideCredentials } from '../core/explain/hide-credentials.ts';
import type { ApiScope } from './api-scope.ts';
import { ControlError, type ControlPlane } from './control-plane.ts';
import { checkHeaders, listHeaders } from './explain-headers.ts';
import { type ExplainBody, explainRequestSchema } from './explain-schemas.ts';
import { jsonResponse, problemResponses, refer } from './shared-schemas.ts';

/** As many as any server takes. */
const MAX_HEADERS = 200;
/** Larger than any head that the gateway takes, also where it is escaped. */
const EXPLAIN_LIMIT_BYTES = 65_536;

/** What would become of a request. It changes nothing, and is a POST for the size of what it asks. */
export function addExplainRoutes(api: ApiScope, controlPlane: ControlPlane): void {
  api.post(
    '/explain',
    {
      bodyLimit: EXPLAIN_LIMIT_BYTES,
      config: { role: 'reader' },
      preValidation: async ({ body }) => checkHeaders(body),
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
    async (request, reply) =>
      reply.send(hideCredentials(await controlPlane.explain(readExplainRequest(request.body)))),
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
