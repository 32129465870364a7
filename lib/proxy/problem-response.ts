import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorDefinition } from '../core/errors.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** The problem document (RFC 9457) that a client gets: our code and the request's id, nothing of the inside. */
export function problemBody(error: ErrorDefinition, requestId: string, detail: string | null): Buffer {
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
