/** What the settings of a route and its cluster do to one request, in words. */
import { hashTextOf } from '../core/balancing/hash-key.ts';
import {
  DEFAULT_LOAD_BOUND,
  DEFAULT_PANIC_THRESHOLD_PERCENT,
  DEFAULT_RETRY,
  DEFAULT_TIMEOUTS,
  type HashKey,
} from '../core/config/model.ts';
import type { ExplainedPolicy } from '../core/explain/explanation.ts';
import type { HeaderTransformer } from '../core/http/header-transform.ts';
import { REPLAY_LIMIT_BYTES } from '../proxy/request-body.ts';
import type { ExplainedRequest } from './explained-request.ts';

/** Those that always apply, and those that the route or the request brings in. */
export function explainPolicies(explained: ExplainedRequest): ExplainedPolicy[] {
  const { requestHeaders, responseHeaders } = explained.route;
  return [
    explainLimits(explained),
    explainEncodedSlash(explained),
    explainForwarding(explained),
    explainUpgrade(explained),
    explainRewrite(explained),
    explainHost(explained),
    explainHeaders('requestHeaders', requestHeaders, 'sent to the destination'),
    explainHeaders('responseHeaders', responseHeaders, 'sent back to the client'),
    explainLoadBalancing(explained),
    explainTimeouts(explained),
    explainRetry(explained),
  ].filter((policy) => policy !== null);
}

function explainLimits({ route, request }: ExplainedRequest): ExplainedPolicy {
  const { maxBodyBytes } = route;
  const { contentLength } = request.head;
  const settings = { maxBodyBytes: Number.isFinite(maxBodyBytes) ? maxBodyBytes : null };
  if (settings.maxBodyBytes === null) return { policy: 'limits', effect: 'a body of any size', settings };
  const effect =
    contentLength > maxBodyBytes
      ? `refused: Content-Length is ${contentLength}, allowed are ${maxBodyBytes} bytes`
      : `a body of at most ${maxBodyBytes} bytes`;
  return { policy: 'limits', effect, settings };
}

function explainEncodedSlash({ route, request }: ExplainedRequest): ExplainedPolicy | null {
  if (!request.hasEncodedSlash) return null;
  const { allowEncodedSlash } = route;
  const effect = allowEncodedSlash ? '%2F stays as it is' : 'refused: the path holds an encoded slash';
  return { policy: 'encodedSlash', effect, settings: { allowEncodedSlash } };
}

function explainForwarding({ peer, clientAddress }: ExplainedRequest): ExplainedPolicy {
  const effect = peer.peerTrusted
    ? `${peer.peerAddress} is a trusted proxy: what it says of the client is kept and added to`
    : `${peer.peerAddress} is no trusted proxy: what it says of other clients is replaced`;
  return { policy: 'forwarding', effect, settings: { trusted: peer.peerTrusted, clientAddress } };
}

function explainUpgrade({ head }: ExplainedRequest): ExplainedPolicy | null {
  if (head.read.head.upgrade === '') return null;
  const effect = head.isWebSocket ? 'opens a WebSocket' : 'served as if it had not asked for an upgrade';
  return { policy: 'upgrade', effect, settings: { protocols: ['websocket'] } };
}

function explainRewrite({ route, request }: ExplainedRequest): ExplainedPolicy | null {
  if (route.rewriter === null) return null;
  const path = route.rewriter.rewrite(request.path);
  return { policy: 'rewrite', effect: `the path ${request.path} becomes ${path}`, settings: null };
}

function explainHost({ route, request }: ExplainedRequest): ExplainedPolicy {
  const set = route.requestHeaders?.host ?? null;
  const { preserveHost } = route;
  const source = preserveHost ? `what the client asked for, ${request.hostField}` : "the destination's own";
  const effect = set === null ? `Host is ${source}` : `Host is set to ${set}`;
  return { policy: 'host', effect, settings: { preserveHost, set } };
}

function explainHeaders(
  policy: string,
  transformer: HeaderTransformer | null,
  where: string,
): ExplainedPolicy | null {
  if (transformer === null) return null;
  const settings = transformer.describe();
  const effect = `takes off ${settings.remove.length} by name and adds ${settings.add.length} of the headers ${where}`;
  return { policy, effect, settings };
}

function explainLoadBalancing(explained: ExplainedRequest): ExplainedPolicy {
  const { balancer, settings } = explained.route.cluster;
  const { usable, panicking } = balancer.assess();
  const hash = settings.loadBalancing?.hash;
  const who = `${usable.length} of ${balancer.destinations.length} destinations are usable`;
  const why = panicking ? ': too few are healthy, so all are used' : '';
  const by = hash === undefined || !balancer.needsHash ? '' : `; ${describeHash(hash, explained)}`;
  return {
    policy: 'loadBalancing',
    effect: `${balancer.policyName}; ${who}${why}${by}`,
    settings: {
      policy: balancer.policyName,
      panicThresholdPercent: settings.loadBalancing?.panicThresholdPercent ?? DEFAULT_PANIC_THRESHOLD_PERCENT,
      ...(hash !== undefined && { hash: { ...hash, loadBound: hash.loadBound ?? DEFAULT_LOAD_BOUND } }),
    },
  };
}

/** Not by which value: cookies of sessions are what their owners log in with. */
function describeHash(hash: HashKey, { request, clientAddress }: ExplainedRequest): string {
  if (hash.source === 'clientIp' || hash.name === undefined) {
    return `hashed by the client's address ${clientAddress}`;
  }
  const key = hashTextOf(hash, request.rawHeaders, request.query);
  return key === ''
    ? `hashed by the client's address ${clientAddress}, as the ${hash.source} ${hash.name} is absent or empty`
    : `hashed by the ${hash.source} ${hash.name}`;
}

function explainTimeouts({ route, head }: ExplainedRequest): ExplainedPolicy {
  const settings = { ...DEFAULT_TIMEOUTS, ...route.cluster.settings.timeouts };
  const { connectMs, headersMs, idleMs } = settings;
  const silence = head.isWebSocket ? 'a WebSocket silent' : 'a body silent';
  const effect = `${connectMs} ms to connect, ${headersMs} ms until the answer begins, ${silence} for at most ${idleMs} ms`;
  return { policy: 'timeouts', effect, settings };
}

function explainRetry(explained: ExplainedRequest): ExplainedPolicy {
  const settings = { ...DEFAULT_RETRY, ...explained.route.cluster.settings.retry };
  return { policy: 'retry', effect: describeRetry(explained, settings.on), settings };
}

function describeRetry({ head, route, request }: ExplainedRequest, on: typeof DEFAULT_RETRY.on): string {
  const { retry, retryFitsBudget } = route.cluster;
  const { method } = request;
  if (head.isWebSocket) return 'one attempt: a WebSocket is not tried again';
  if (retry.attempts <= 1) return 'one attempt';
  const conditions = on.filter((condition) =>
    typeof condition === 'number'
      ? retry.allowsAfterStatus(condition, method)
      : retry.allowsAfterFailure(condition, method),
  );
  if (conditions.length === 0) return `one attempt: nothing that is tried again fits ${method}`;
  const budget = retryFitsBudget ? '' : '; for the moment the budget for retries is used up';
  const body = request.hasBody ? `, ${describeReplay(retry.isIdempotent(method))}` : '';
  return `up to ${retry.attempts} attempts in all, after ${conditions.join(', ')}${body}${budget}`;
}

function describeReplay(isIdempotent: boolean): string {
  return isIdempotent
    ? `as long as no more than ${REPLAY_LIMIT_BYTES} bytes of the body have been read`
    : 'as long as nothing of the body has been read';
}
