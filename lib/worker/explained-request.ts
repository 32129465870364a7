import type { AdmittedRequest } from '../proxy/admission.ts';
import type { Peer } from '../proxy/forwarding.ts';
import type { ParsedHead } from '../proxy/head-parser.ts';
import type { ProxiedRoute } from '../proxy/proxied-route.ts';

/** A described request that was admitted and has found its route. */
export interface ExplainedRequest {
  readonly head: ParsedHead;
  readonly request: AdmittedRequest;
  readonly route: ProxiedRoute;
  readonly peer: Peer;
  /** The client's own, seen past trusted proxies. */
  readonly clientAddress: string;
}
