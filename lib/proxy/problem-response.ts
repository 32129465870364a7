import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { headerPairs } from './header-pairs.ts';
import type { DirectAnswer } from './policies/verdict.ts';

/** What 405 names: any other method but CONNECT and TRACE is served too. */
const SERVED_METHODS = 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS';
const PROBLEM_TYPE = 'application/problem+json';

/** The problem document (RFC 9457) that a client gets: our code and the request's id, nothing of the inside. */
function problemBody(error: ErrorDefinition, requestId: string, detail: string | null): Buffer {
  const problem = {
    type: 'about:blank',
    title: error.title,
    status: error.status,
    code: error.code,
    ...(requestId === '' ? {} : { requestId }),
    ...(detail === null ? {} : { detail }),
  };
  return Buffer.from(`${JSON.stringify(problem)}\n`);
}

/** What is wrong with one request of a client that may well send a good one next. */
const CIVIL: ReadonlySet<ErrorDefinition> = new Set([
  ERRORS.noRoute,
  ERRORS.unauthenticated,
  ERRORS.accessDenied,
  ERRORS.addressDenied,
  ERRORS.rateLimited,
]);

/** Whether a client that gets this error is better asked to begin anew, on another connection. */
export function endsConnection(error: ErrorDefinition): boolean {
  return error.side === 'client' && !CIVIL.has(error);
}

/** What a limit of concurrency is answered with: the queue may be shorter in a second. */
export const RETRY_SOON: readonly string[] = ['retry-after', '1'];

/** A problem as an answer: fields (flat) and body. @param headers flat: more fields of the answer */
export function problemAnswer(
  error: ErrorDefinition,
  requestId: string,
  detail: string | null,
  headers: readonly string[],
): { readonly headers: string[]; readonly body: Buffer } {
  const body = problemBody(error, requestId, detail);
  const fields = [
    'content-type',
    PROBLEM_TYPE,
    'content-length',
    String(body.length),
    'x-request-id',
    requestId,
  ];
  if (error === ERRORS.methodNotAllowed) fields.push('allow', SERVED_METHODS);
  fields.push(...headers);
  return { headers: fields, body };
}

/** How long a client that was refused has to close its connection. */
const REFUSED_GRACE_MS = 2_000;

/**
 * Answers on a bare socket as its last word. What the client still sends is read and thrown away for a while:
 * closing with unread bytes would reset the connection, and the answer with it.
 */
export function refuseOnSocket(
  socket: Duplex,
  error: ErrorDefinition,
  requestId: string,
  headers: readonly string[] = [],
): void {
  writeProblem(socket, error, requestId, headers);
  lingerOnSocket(socket);
}

/** The same with an answer that is no error. */
export function answerOnSocket(socket: Duplex, { status, headers }: DirectAnswer, requestId: string): void {
  const fields = headerPairs(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...fields,
    'content-length: 0',
    `date: ${new Date().toUTCString()}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
  lingerOnSocket(socket);
}

/** Ends a connection whose client may still send. */
export function endAndLinger(socket: Duplex): void {
  socket.end();
  lingerOnSocket(socket);
}

function lingerOnSocket(socket: Duplex): void {
  socket.resume();
  setTimeout(() => socket.destroy(), REFUSED_GRACE_MS).unref();
}

/** Answers on a bare socket, where there is no response object (parser errors, upgrades), and ends it. */
export function writeProblem(
  socket: Duplex,
  error: ErrorDefinition,
  requestId: string,
  headers: readonly string[] = [],
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = problemBody(error, requestId, null);
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${body.length}`,
    `date: ${new Date().toUTCString()}`,
    'connection: close',
    ...(requestId === '' ? [] : [`x-request-id: ${requestId}`]),
    ...headerPairs(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
}
