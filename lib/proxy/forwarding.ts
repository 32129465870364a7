/** What goes to the origin, for requests and upgrades alike. */
import { removeLookAlikes, replaceFields } from '../core/http/flat-headers.ts';
import type { IdentityHeaders } from '../core/http/identity-headers.ts';
import { buildRequestHeaders } from '../core/http/request-headers.ts';
import { removeCookie, withoutParameter } from '../core/http/withhold.ts';
import type { AdmittedRequest } from './admission.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ProxiedDestination } from './destination.ts';
import type { Passage } from './policies/passage.ts';
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

/** What trusted proxies call it, those that tell WebSockets apart included. */
const SCHEMES: ReadonlyMap<string, 'http' | 'https'> = new Map([
  ['http', 'http'],
  ['ws', 'http'],
  ['https', 'https'],
  ['wss', 'https'],
]);

/** How the client came to the trusted proxy in front of us, as that says, which may itself come over TLS; or to us. */
export function schemeOf(
  connection: Pick<ClientConnection, 'peerTrusted' | 'secure'>,
  request: AdmittedRequest,
): 'http' | 'https' {
  const told = connection.peerTrusted ? SCHEMES.get(request.head.forwardedProto) : undefined;
  return told ?? (connection.secure ? 'https' : 'http');
}

/** Path and query as the origin gets them: the very string that was matched, rewritten where the route says so. */
export function targetFor(
  route: ProxiedRoute,
  request: AdmittedRequest,
  destination: ProxiedDestination,
  passage: Passage | null,
): string {
  const path =
    destination.basePath + (route.rewriter === null ? request.path : route.rewriter.rewrite(request.path));
  const withheld = passage?.withheldParameter ?? null;
  if (withheld === null) return request.hasQuery ? `${path}?${request.query}` : path;
  const query = withoutParameter(request.query, withheld);
  return query === '' ? path : `${path}?${query}`;
}

/** The Host field that the origin gets. */
export function hostFor(
  route: ProxiedRoute,
  request: AdmittedRequest,
  destination: ProxiedDestination,
): string {
  return route.requestHeaders?.host ?? (route.preserveHost ? request.hostField : destination.authority);
}

/** What of a connection stands in the headers that the origin gets. */
export type ForwardedPeer = Peer & Pick<ClientConnection, 'secure'>;

/** The header list that the origin gets, without Host and framing. */
export function headersFor(
  route: ProxiedRoute,
  request: AdmittedRequest,
  peer: ForwardedPeer,
  requestId: string,
  identityHeaders: IdentityHeaders,
  passage: Passage | null,
): string[] {
  const headers = buildRequestHeaders(request.rawHeaders, request.head, {
    peerAddress: peer.peerAddress,
    peerTrusted: peer.peerTrusted,
    scheme: peer.secure ? 'https' : 'http',
    clientHost: request.hostField,
    requestId,
    identityHeaders,
  });
  if (passage !== null) withholdCredentials(headers, passage);
  route.requestHeaders?.apply(headers);
  // Last, so that neither the client nor a transform stands in for what was verified.
  if (passage !== null) replaceFields(headers, passage.originHeaders);
  return headers;
}

function withholdCredentials(headers: string[], { withheldHeaders, withheldCookie }: Passage): void {
  if (withheldHeaders.length > 0) removeLookAlikes(headers, withheldHeaders);
  if (withheldCookie !== null) removeCookie(headers, withheldCookie);
}
