/** Step 3 of a request, for plain requests and upgrades alike: may it pass, and with what said of its client? */
import type { AdmittedRequest } from './admission.ts';
import type { ClientConnection } from './client-connection.ts';
import { preflightMethodOf } from './policies/cors-policy.ts';
import type { Passage } from './policies/passage.ts';
import type { DirectAnswer, Verdict } from './policies/verdict.ts';
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

/**
 * The answer to a pre-flight, and the route that gives it: the one that would take the request which the
 * pre-flight asks about. Null where the request is no pre-flight, or that route leaves pre-flights to its origin.
 */
export function answerPreflight(
  routes: RouteFinder,
  request: AdmittedRequest,
): { readonly route: ProxiedRoute; readonly answer: DirectAnswer } | null {
  const method = preflightMethodOf(request);
  if (method === null) return null;
  const { host, path, query, rawHeaders } = request;
  const route = routes.match({ host, path, query, method, rawHeaders });
  const cors = route?.policies?.cors ?? null;
  return route === null || cors === null ? null : { route, answer: cors.answerPreflight(request) };
}
