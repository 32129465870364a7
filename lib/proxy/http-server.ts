/** The HTTP server of a worker with its limits: what its parser takes for a request, and what it refuses. */
import http, { type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import type { ListenerLimits } from '../ipc/protocol.ts';
import { GatewayResponse } from './server-response.ts';
import { isWebSocketUpgrade } from './websocket-session.ts';

const TIMEOUT_CHECK_INTERVAL_MS = 1_000;

export interface UpgradingSocket extends Socket {
  /** Asked for an upgrade that it does not get. */
  refusedUpgrade?: boolean;
}

/**
 * Node's parser stops behind a request that asks for an upgrade and, where it gets none, loses the bytes that
 * came in the same read: what is read next could begin in the middle of a request. So that answer is the last.
 */
function admitUpgrade(incoming: IncomingMessage): boolean {
  if (isWebSocketUpgrade(incoming)) return true;
  (incoming.socket as UpgradingSocket).refusedUpgrade = true;
  return false;
}

export type GatewayServer = http.Server<typeof IncomingMessage, typeof GatewayResponse>;

/** A server without an address: it is given its sockets. */
export function createHttpServer(limits: ListenerLimits): GatewayServer {
  const server = http.createServer({
    ServerResponse: GatewayResponse,
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    // The body is watched by the exchange, which knows who is waiting for whom.
    requestTimeout: 0,
    // The listener watches idle connections itself: one sweep instead of two timers a request.
    keepAliveTimeout: 0,
    // What has no body need not be read to its end. Older versions of Node do not know the option.
    optimizeEmptyRequests: true,
    connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
    // Admission counts Host fields itself, and answers with our own problem document.
    requireHostHeader: false,
    // What is not a WebSocket is served as if it had not asked for an upgrade (RFC 9110 §7.8): h2c with a
    // body would otherwise hide that body from the parser.
    shouldUpgradeCallback: admitUpgrade,
  });
  // Node would drop fields over this count without a word; admission refuses the request instead.
  server.maxHeadersCount = 0;
  return server;
}

/** What a failure of the parser, by its code, is answered with. */
export function clientErrorOf(code: string | undefined): ErrorDefinition {
  if (code === 'HPE_HEADER_OVERFLOW') return ERRORS.headersTooLarge;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return ERRORS.requestTimeout;
  return ERRORS.badRequest;
}
