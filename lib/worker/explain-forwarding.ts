/** Where an explained request would go, and as what. */
import { hashKeyOf } from '../core/balancing/hash-key.ts';
import type { Preview } from '../core/balancing/preview.ts';
import type { Explanation } from '../core/explain/explanation.ts';
import type { ProxiedDestination } from '../proxy/destination.ts';
import { headersFor, hostFor, requestIdOf, targetFor } from '../proxy/forwarding.ts';
import { headerPairs } from '../proxy/header-pairs.ts';
import { headerObject } from '../proxy/websocket-session.ts';
import type { ExplainedRequest } from './explained-request.ts';

/** Stands where a request gets an id of its own. */
export const REQUEST_ID_PLACEHOLDER = '<request id>';
const PLACEHOLDER_IDS = { requestIds: { next: () => REQUEST_ID_PLACEHOLDER } };

type Fields = [name: string, value: string][];

export function explainDestinations({ route }: ExplainedRequest): Explanation['destinations'] {
  const { balancer } = route.cluster;
  const usable = new Set(balancer.assess().usable);
  return balancer.destinations.map((destination) => ({
    destination: destination.id,
    url: destination.url.href,
    weight: destination.weight,
    healthy: destination.healthy,
    usable: usable.has(destination),
    active: destination.active,
  }));
}

/** The destination of the first attempt; null where there is none. */
export function previewDestination({
  route,
  request,
  clientAddress,
}: ExplainedRequest): Preview<ProxiedDestination> | null {
  const { hashKey, balancer } = route.cluster;
  const hash = hashKey === null ? 0 : hashKeyOf(hashKey, request.rawHeaders, request.query, clientAddress);
  return balancer.preview(hash);
}

export function explainPick(
  explained: ExplainedRequest,
  { destination, certain, reason }: Preview<ProxiedDestination>,
): NonNullable<Explanation['pick']> {
  // Attempts pass over such a one; a WebSocket has a connection of its own, and no queue.
  const isPassedOver = destination.overloaded && !explained.head.isWebSocket;
  return {
    destination: destination.id,
    url: destination.url.href,
    certain: certain && !isPassedOver,
    reason: isPassedOver ? `${reason}; but its queue is full, so the next one is asked` : reason,
  };
}

/** The head that the destination gets, but for Connection between the gateway and it. */
export function explainUpstream(
  explained: ExplainedRequest,
  destination: ProxiedDestination,
): NonNullable<Explanation['upstream']> {
  const { route, request, peer, head, identityHeaders, passage } = explained;
  const headers = headersFor(
    route,
    request,
    peer,
    requestIdOf(PLACEHOLDER_IDS, peer, request),
    identityHeaders,
    passage,
  );
  const host = hostFor(route, request, destination);
  const fields = head.isWebSocket ? upgradeFields(headers) : framedFields(explained, headerPairs(headers));
  return {
    method: request.method,
    target: targetFor(route, request, destination, passage),
    headers: [['host', host], ...fields],
  };
}

/** The upstream engines say by themselves how long the body is, and nothing where there is none. */
function framedFields({ request, head }: ExplainedRequest, fields: Fields): Fields {
  const framed = fields.filter(([name]) => name.toLowerCase() !== 'content-length');
  if (!request.hasBody) return framed;
  const { contentLength } = request.head;
  if (contentLength > 0) framed.push(['content-length', String(contentLength)]);
  else framed.push(['transfer-encoding', 'chunked']);
  if (head.expectation === 'continue') framed.push(['expect', '100-continue']);
  return framed;
}

function upgradeFields(headers: readonly string[]): Fields {
  const fields: Fields = [];
  for (const [name, value] of Object.entries(headerObject(headers))) {
    for (const one of [value ?? []].flat()) fields.push([name, one]);
  }
  return fields;
}
