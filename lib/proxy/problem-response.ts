import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';

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

export interface ProblemOptions {
  readonly requestId: string;
  readonly detail: string | null;
  readonly isHead: boolean;
  /** Whether the connection ends with this answer. */
  readonly closes: boolean;
}

/** Writes a whole problem response but for its end. @returns the size of its body in bytes */
export function writeProblemResponse(
  response: ServerResponse,
  error: ErrorDefinition,
  options: ProblemOptions,
): number {
  const { requestId, detail, isHead, closes } = options;
  const body = problemBody(error, requestId, detail);
  const headers = [
    'content-type',
    PROBLEM_TYPE,
    'content-length',
    String(body.length),
    'x-request-id',
    requestId,
  ];
  if (error === ERRORS.methodNotAllowed) headers.push('allow', SERVED_METHODS);
  if (closes) headers.push('connection', 'close');
  // The reason is given, or one that the origin's head has left behind would stand here.
  response.writeHead(error.status, STATUS_CODES[error.status], headers);
  if (!isHead) response.write(body);
  return body.length;
}

/** How long a client that was refused has to close its connection. */
const REFUSED_GRACE_MS = 2_000;

/**
 * Answers on a bare socket as its last word. What the client still sends is read and thrown away for a while:
 * closing with unread bytes would reset the connection, and the answer with it.
 */
export function refuseOnSocket(socket: Duplex, error: ErrorDefinition, requestId: string): void {
  writeProblem(socket, error, requestId);
  socket.resume();
  setTimeout(() => socket.destroy(), REFUSED_GRACE_MS).unref();
}

/** Answers on a bare socket, where there is no response object (parser errors, upgrades), and ends it. */
export function writeProblem(socket: Duplex, error: ErrorDefinition, requestId: string): void {
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
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
}
