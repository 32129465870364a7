import type { IdentityHeaders } from '../core/http/identity-headers.ts';
import type { AdmittedRequest } from '../proxy/admission.ts';
import type { ForwardedPeer } from '../proxy/forwarding.ts';
import type { ParsedHead } from '../proxy/head-parser.ts';
import type { Passage } from '../proxy/policies/passage.ts';
import type { Verdict } from '../proxy/policies/verdict.ts';
import type { ProxiedRoute } from '../proxy/proxied-route.ts';

/** A described request that was admitted and has found its route. */
export interface ExplainedRequest {
  readonly head: ParsedHead;
  readonly request: AdmittedRequest;
  readonly route: ProxiedRoute;
  readonly peer: ForwardedPeer;
  /** What no client may say of itself. */
  readonly identityHeaders: IdentityHeaders;
  /** The id of the certificate entry that requires a client certificate of this host; null where none does. */
  readonly requiredCertificate: string | null;
  /** The request on its way through the policies of the route: what they leave behind is there. */
  readonly passage: Passage;
  /** The answer to a pre-flight, for which no other policies are asked; null where the request is none. */
  readonly preflight: Verdict;
  /** The client's own, seen past trusted proxies. */
  readonly clientAddress: string;
}
