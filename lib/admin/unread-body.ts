/**
 * What becomes of the rest of a body that nobody wants: it is read and thrown away for a moment, because a
 * connection that is closed on bytes which were not read is reset, and the client would lose its answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** For clients that we know nothing of. */
const LINGER_MS = 1_000;
/** For clients that have shown a token: enough to take the answer, or to send what is on its way. */
const REST_MS = 5_000;

/** Ends an answer that is written, on a connection that closes with it; the client gets a moment to read it. */
export function endWithConnection(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) {
    response.end();
    return;
  }
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once('end', end);
  request.once('close', end);
  request.resume();
}

/** Hangs up on a client that goes on sending a request for long after it was answered. */
export function limitRest(request: IncomingMessage, isKnown: boolean): void {
  if (request.complete) return;
  const timer = setTimeout(
    () => {
      if (!request.complete) request.socket.destroy();
    },
    isKnown ? REST_MS : LINGER_MS,
  );
  const clear = (): void => clearTimeout(timer);
  request.once('end', clear);
  request.socket.once('close', clear);
}
