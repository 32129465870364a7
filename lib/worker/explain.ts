/**
 * What the gateway would do with a request that is only described: the steps of an exchange, by the same
 * functions, but for the last. Nothing is sent, counted or changed.
 */
import { isIP } from 'node:net';
import { ERRORS } from '../core/errors.ts';
import type { ExplainRequest, Explanation } from '../core/explain/explanation.ts';
import type { RequestFacts } from '../core/routing/request-facts.ts';
import type { RouteExplanation } from '../core/routing/route-explanation.ts';
import type { ListenerLimits } from '../ipc/protocol.ts';
import { type AdmittedRequest, admit, Refusal, refuseByRoute } from '../proxy/admission.ts';
import { clientAddressOf, type ForwardedPeer, schemeOf } from '../proxy/forwarding.ts';
import { type ParsedHead, parseHead } from '../proxy/head-parser.ts';
import { Passage } from '../proxy/policies/passage.ts';
import type { PolicyRefusal, Verdict } from '../proxy/policies/verdict.ts';
import type { ProxiedRoute } from '../proxy/proxied-route.ts';
import type { ProxyContext } from '../proxy/proxy-context.ts';
import { preflightedRequest } from '../proxy/screening.ts';
import { plainAddress } from '../proxy/trusted-proxies.ts';
import { formatDescribedRequest } from './described-request.ts';
import {
  explainDestinations,
  explainPick,
  explainUpstream,
  previewDestination,
} from './explain-forwarding.ts';
import { explainPolicies } from './explain-policies.ts';
import { explainRoutePolicies } from './explain-route-policies.ts';
import type { ExplainedRequest } from './explained-request.ts';

/** So many of the routes that match by host and path are listed. */
const MOST_CANDIDATES = 100;
const DEFAULT_CLIENT_ADDRESS = '127.0.0.1';

/** The routes that requests go by. The routing table is them. */
export interface ExplainableRoutes {
  explain(facts: RequestFacts, limit: number): RouteExplanation<ProxiedRoute>;
}

interface FoundRoute {
  readonly routing: RouteExplanation<ProxiedRoute> | null;
  /** The answer to a pre-flight; null where the request is none, or goes on to the origin. */
  readonly preflight: Verdict;
}

/** All of an explanation but for who gives it. */
type Answer = Omit<Explanation, 'revision' | 'worker'>;

const NOTHING: Answer = { candidates: [], candidatesCut: false, policies: [], destinations: [] };

export class RequestExplainer {
  readonly #context: ProxyContext;
  readonly #worker: number;
  /** Null until there is a configuration. */
  routes: ExplainableRoutes | null = null;

  /** `worker`: the id of this one, to sign with. */
  constructor(context: ProxyContext, worker: number) {
    this.#context = context;
    this.#worker = worker;
  }

  /** Never throws: a failure of ours is an explanation too. */
  async explain(described: ExplainRequest): Promise<Explanation> {
    try {
      const head = readHead(described, this.#context.limits);
      return this.#sign(head instanceof Refusal ? refuse(head) : await this.#explainHead(described, head));
    } catch (error) {
      this.#context.logger.error({ err: error }, 'explain failed');
      return this.#sign(refuse(new Refusal(ERRORS.internal, null)));
    }
  }

  #sign(answer: Answer): Explanation {
    return { revision: this.#context.revision, worker: this.#worker, ...answer };
  }

  async #explainHead({ clientAddress, url }: ExplainRequest, head: ParsedHead): Promise<Answer> {
    const peerAddress = plainAddress(clientAddress ?? DEFAULT_CLIENT_ADDRESS);
    if (isIP(peerAddress) === 0)
      return refuse(new Refusal(ERRORS.badRequest, 'clientAddress is no IP address'));
    const peerTrusted = this.#context.trustedProxies.trusts(peerAddress);
    const peer = { peerAddress, peerTrusted, secure: /^https:/i.test(url) };
    const request =
      head.expectation === 'unknown'
        ? new Refusal(ERRORS.expectationFailed, null)
        : admit(head.read, this.#context.limits);
    return request instanceof Refusal ? refuse(request) : this.#explainRouting(head, request, peer);
  }

  async #explainRouting(head: ParsedHead, request: AdmittedRequest, peer: ForwardedPeer): Promise<Answer> {
    const clientAddress = clientAddressOf(this.#context, peer, request);
    const { routing, preflight } = this.#findRoute(request, clientAddress);
    const { method, host, path, query } = request;
    const routed: Answer = {
      ...NOTHING,
      request: { method, host, path, query },
      candidates: (routing?.candidates ?? []).map(({ id, order, won, reason }) => ({
        route: id,
        order,
        won,
        reason,
      })),
      candidatesCut: routing?.cut ?? false,
    };
    const route = routing?.winner?.value ?? null;
    if (route === null) return refuse(new Refusal(ERRORS.noRoute, null), routed);
    const passage = new Passage(request, clientAddress, schemeOf(peer, request), head.isWebSocket);
    const { identityHeaders, certificates } = this.#context.routes.trust;
    const required = certificates
      .governing(host)
      .find(({ clientCertificate }) => clientCertificate?.mode === 'required');
    const requiredCertificate = required?.id ?? null;
    return this.#explainRoute(
      { head, request, route, peer, clientAddress, identityHeaders, passage, preflight, requiredCertificate },
      routed,
    );
  }

  /** A pre-flight goes by the route of the request that it asks about, where that one answers it. */
  #findRoute(request: AdmittedRequest, clientAddress: string): FoundRoute {
    const asked = request.method === 'OPTIONS' ? preflightedRequest(request) : null;
    const routing = asked === null ? null : (this.routes?.explain(asked, MOST_CANDIDATES) ?? null);
    const policies = routing?.winner?.value.policies ?? null;
    const preflight = policies?.answerPreflight(request, clientAddress) ?? null;
    if (preflight !== null) return { routing, preflight };
    return { routing: this.routes?.explain(request, MOST_CANDIDATES) ?? null, preflight };
  }

  async #explainRoute(explained: ExplainedRequest, routed: Answer): Promise<Answer> {
    const { route, request, head } = explained;
    const { policies, verdict } = await explainRoutePolicies(explained);
    const answer: Answer = {
      ...routed,
      route: route.id,
      cluster: route.cluster.id,
      policies: [...policies, ...explainPolicies(explained)],
      destinations: explainDestinations(explained),
    };
    const isLeaving = head.isWebSocket && this.#context.draining;
    if (verdict?.kind === 'refusal') return refuse(verdict, answer);
    if (verdict?.kind === 'answer') return answer;
    const refusal = refuseByRoute(route, request) ?? (isLeaving ? new Refusal(ERRORS.draining, null) : null);
    if (refusal !== null) return refuse(refusal, answer);
    const preview = previewDestination(explained);
    if (preview === null) return refuse(new Refusal(ERRORS.noDestination, null), answer);
    return {
      ...answer,
      upstream: explainUpstream(explained, preview.destination),
      pick: explainPick(explained, preview),
    };
  }
}

function readHead(described: ExplainRequest, limits: ListenerLimits): ParsedHead | Refusal {
  const bytes = formatDescribedRequest(described);
  return bytes instanceof Refusal ? bytes : parseHead(bytes, limits);
}

function refuse({ error, detail }: PolicyRefusal, answer: Answer = NOTHING): Answer {
  const reason = detail === null ? error.title : `${error.title}: ${detail}`;
  return { ...answer, refused: { code: error.code, status: error.status, reason } };
}
