/** Step 3 of a request, for plain requests and upgrades alike: may it pass, and with what said of its client? */
import type { RequestFacts } from '../core/routing/request-facts.ts';
import type { AdmittedRequest } from './admission.ts';
import type { ClientConnection } from './client-connection.ts';
import { preflightMethodOf } from './policies/cors-policy.ts';
import type { Passage } from './policies/passage.ts';
import type { Verdict } from './policies/verdict.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { RouteFinder } from './proxy-context.ts';
import { clientCertificateHeaders, guardClientCertificate } from './tls/client-certificate-guard.ts';

/** Whether requests of the route need a passage at all. */
export function needsScreening(routes: RouteFinder, route: ProxiedRoute): boolean {
  return route.policies !== null || routes.trust.certificates.asksForClientCertificates;
}

export function screen(
  routes: RouteFinder,
  route: ProxiedRoute,
  passage: Passage,
  connection: ClientConnection,
): Verdict | Promise<Verdict> {
  const { certificates } = routes.trust;
  if (certificates.asksForClientCertificates) {
    const { host } = passage.request;
    const refusal = guardClientCertificate(certificates, connection, host);
    if (refusal !== null) return refusal;
    passage.originHeaders.push(...clientCertificateHeaders(certificates, connection, host));
  }
  return route.policies === null ? null : route.policies.decide(passage);
}

/** The request that a pre-flight asks about, for its route to be found; null where the request is no pre-flight. */
export function preflightedRequest(request: AdmittedRequest): RequestFacts | null {
  const method = preflightMethodOf(request);
  if (method === null) return null;
  const { host, path, query, rawHeaders } = request;
  return { host, path, query, method, rawHeaders };
}

/**
 * The answer to a pre-flight, and the route that gives it: the one that would take the request which the
 * pre-flight asks about. Null where the request is no pre-flight, or that route leaves pre-flights to its origin.
 */
export function answerPreflight(
  routes: RouteFinder,
  request: AdmittedRequest,
  clientAddress: string,
  connection: ClientConnection,
): { readonly route: ProxiedRoute; readonly answer: NonNullable<Verdict> } | null {
  const asked = preflightedRequest(request);
  const route = asked === null ? null : routes.match(asked);
  const answer = route?.policies?.answerPreflight(request, clientAddress) ?? null;
  if (route === null || answer === null) return null;
  return {
    route,
    answer: guardClientCertificate(routes.trust.certificates, connection, request.host) ?? answer,
  };
}
