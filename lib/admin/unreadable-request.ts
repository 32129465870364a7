import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { PROBLEM_TYPE, renderProblem } from './problem-document.ts';

/**
 * Answers bytes that are no HTTP request, or one that came too slowly or with too large a head, and hangs up. What
 * went wrong with TLS can only be hung up on.
 */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex, requestId: string): void {
  if (error.code === 'ECONNRESET' || isTlsFailure(error.code) || !socket.writable) {
    socket.destroy();
    return;
  }
  const definition = definitionOf(error.code);
  const body = renderProblem({ definition, detail: null, members: {} }, requestId);
  const head = [
    `HTTP/1.1 ${definition.status} ${STATUS_CODES[definition.status]}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function isTlsFailure(code = ''): boolean {
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO';
}

function definitionOf(code: string | undefined): ErrorDefinition {
  if (code === 'HPE_HEADER_OVERFLOW') return ERRORS.headersTooLarge;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? ERRORS.requestTimeout : ERRORS.badRequest;
}
