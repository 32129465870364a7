import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { ControlError } from './control-plane.ts';
import { endWithConnection } from './unread-body.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** What is wrong with a request, on its way to being a problem document. */
export interface Refusal {
  readonly definition: ErrorDefinition;
  /** For people, about this occurrence; null where the title says it all. */
  readonly detail: string | null;
  /** Further members of the problem document. */
  readonly members: Readonly<Record<string, unknown>>;
}

/** The problem document (RFC 9457) of a refusal, as JSON text. */
export function renderProblem({ definition, detail, members }: Refusal, requestId: string): string {
  const problem = {
    ...members,
    type: 'about:blank',
    title: definition.title,
    status: definition.status,
    code: definition.code,
    ...(detail === null ? {} : { detail }),
    requestId,
  };
  return `${JSON.stringify(problem)}\n`;
}

/** Answers with a problem document where the framework is not involved. */
export function sendProblem(response: ServerResponse, refusal: Refusal, requestId: string): void {
  writeProblem(response, refusal, requestId, {});
  response.end();
}

/** The same, and closes the connection: who has not shown a token keeps none of the few that there are. */
export function sendLastProblem(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  writeProblem(response, refusal, requestId, { ...headers, connection: 'close' });
  endWithConnection(request, response);
}

function writeProblem(
  response: ServerResponse,
  refusal: Refusal,
  requestId: string,
  headers: Readonly<Record<string, string>>,
): void {
  const body = renderProblem(refusal, requestId);
  response.writeHead(refusal.definition.status, {
    ...headers,
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.write(body);
}

/** What the framework says of a request that it refuses, by its code. */
const FRAMEWORK_REFUSALS: ReadonlyMap<string, Refusal> = new Map([
  [
    'FST_ERR_CTP_INVALID_MEDIA_TYPE',
    refuse(ERRORS.unsupportedMediaType, 'send the body as content-type: application/json'),
  ],
  ['FST_ERR_BAD_URL', refuse(ERRORS.badTarget, 'the path holds an escape that cannot be decoded')],
  ['FST_ERR_MAX_PARAM_LENGTH', refuse(ERRORS.targetTooLong, 'a part of the path is too long')],
]);

function refuse(definition: ErrorDefinition, detail: string): Refusal {
  return { definition, detail, members: {} };
}

/**
 * Places an error in the error table. What nobody foresaw is an internal error, of which the client learns
 * nothing but the code.
 */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof ControlError) {
    return { definition: error.definition, detail: error.message, members: error.details };
  }
  const { code, statusCode } = error as { readonly code?: unknown; readonly statusCode?: unknown };
  const known = typeof code === 'string' ? FRAMEWORK_REFUSALS.get(code) : undefined;
  if (known !== undefined) return known;
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return { definition: ERRORS.invalidRequest, detail: null, members: {} };
  }
  return { definition: ERRORS.internal, detail: null, members: {} };
}
