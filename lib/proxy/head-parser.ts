/** The head of a request as the listener's own parser reads it, without a connection. */
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { ERRORS } from '../core/errors.ts';
import type { ListenerLimits } from '../ipc/protocol.ts';
import { Refusal } from './admission.ts';
import type { Expectation } from './exchange.ts';
import { clientErrorOf, createHttpServer } from './http-server.ts';

export interface ParsedHead {
  readonly incoming: IncomingMessage;
  readonly expectation: Expectation;
  /** Whether it asks for a WebSocket, and may have one. */
  readonly isWebSocket: boolean;
}

/** An error of Node's parser. */
interface ParserError extends Error {
  readonly code?: string;
  readonly reason?: string;
}

/**
 * Reads the head of one request with a server that is set up as the listener's is. Always comes to an end: behind
 * the given bytes the connection ends, which the parser takes for an error where a head is not complete.
 */
export async function parseHead(bytes: Buffer, limits: ListenerLimits): Promise<ParsedHead | Refusal> {
  const socket = new Duplex({
    read() {},
    write(_chunk, _encoding, callback) {
      callback();
    },
  });
  try {
    return await new Promise((resolve) => {
      listen(socket, limits, resolve);
      socket.push(bytes);
      socket.push(null);
    });
  } finally {
    socket.destroy();
  }
}

function listen(socket: Duplex, limits: ListenerLimits, resolve: (head: ParsedHead | Refusal) => void): void {
  const server = createHttpServer(limits);
  const tell = (incoming: IncomingMessage, expectation: Expectation, isWebSocket = false) =>
    resolve({ incoming, expectation, isWebSocket });
  server.on('request', (incoming) => tell(incoming, 'none'));
  server.on('checkContinue', (incoming) => tell(incoming, 'continue'));
  server.on('checkExpectation', (incoming) => tell(incoming, 'unknown'));
  server.on('upgrade', (incoming) => tell(incoming, 'none', true));
  server.on('connect', () => resolve(new Refusal(ERRORS.methodNotAllowed, null)));
  server.on('clientError', ({ code, reason }: ParserError) =>
    resolve(new Refusal(clientErrorOf(code), reason ?? null)),
  );
  socket.on('error', () => {});
  // Comes last, if nothing else has come.
  socket.on('close', () => resolve(new Refusal(ERRORS.badRequest, null)));
  server.emit('connection', socket);
}
