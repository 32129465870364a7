/** What goes to the origin, for requests and upgrades alike. */
import { buildRequestHeaders } from '../core/http/request-headers.ts';
import type { AdmittedRequest } from './admission.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ProxiedDestination } from './destination.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { ProxyContext } from './proxy-context.ts';
import { isPlainRequestId, type RequestIds } from './request-id.ts';

/** Who sends a request: what matters of a connection. */
export type Peer = Pick<ClientConnection, 'peerAddress' | 'peerTrusted'>;

/** The id of a request: the one it came with where the peer is trusted, else a new one. */
export function requestIdOf(
  context: { readonly requestIds: Pick<RequestIds, 'next'> },
  peer: Peer,
  request: AdmittedRequest,
): string {
  const given = request.head.requestId;
  return peer.peerTrusted && isPlainRequestId(given) ? given : context.requestIds.next();
}

/** The client's own address, seen past trusted proxies. */
export function clientAddressOf(
  context: Pick<ProxyContext, 'trustedProxies'>,
  peer: Peer,
  request: AdmittedRequest,
): string {
  if (!peer.peerTrusted) return peer.peerAddress;
  return context.trustedProxies.clientAddress(peer.peerAddress, request.head.forwardedFor);
}

/** Path and query as the origin gets them: the very string that was matched, rewritten where the route says so. */
export function targetFor(
  route: ProxiedRoute,
  request: AdmittedRequest,
  destination: ProxiedDestination,
): string {
  const path =
    destination.basePath + (route.rewriter === null ? request.path : route.rewriter.rewrite(request.path));
  return request.hasQuery ? `${path}?${request.query}` : path;
}

/** The Host field that the origin gets. */
export function hostFor(
  route: ProxiedRoute,
  request: AdmittedRequest,
  destination: ProxiedDestination,
): string {
  return route.requestHeaders?.host ?? (route.preserveHost ? request.hostField : destination.authority);
}

/** The header list that the origin gets, without Host and framing. */
export function headersFor(
  route: ProxiedRoute,
  request: AdmittedRequest,
  peer: Peer,
  requestId: string,
): string[] {
  const headers = buildRequestHeaders(request.rawHeaders, request.head, {
    peerAddress: peer.peerAddress,
    peerTrusted: peer.peerTrusted,
    scheme: 'http',
    clientHost: request.hostField,
    requestId,
  });
  route.requestHeaders?.apply(headers);
  return headers;
}
