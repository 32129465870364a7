/** Steps 1 and 3 of a request: what it asks for, in canonical form, or why it is refused, also by its route. */
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { parseTarget, type Target } from '../core/http/canonical-target.ts';
import { canonicalHost } from '../core/http/host.ts';
import type { RequestHead } from '../core/http/request-headers.ts';
import type { RequestFacts } from '../core/routing/request-facts.ts';
import type { ListenerLimits } from '../ipc/protocol.ts';
import type { ReadHead } from './http1/request-parser.ts';
import type { PolicyRefusal } from './policies/verdict.ts';

/** The most fields of a head, and the longest target: more get 431 and 414. */
type AdmissionLimits = Pick<ListenerLimits, 'maxHeaderCount' | 'maxTargetBytes'>;

/** A request as the gateway understands it: what is matched is what is forwarded. */
export class AdmittedRequest implements RequestFacts {
  readonly method: string;
  readonly host: string;
  /** Host as the client wrote it, port included. */
  readonly hostField: string;
  readonly path: string;
  readonly query: string;
  readonly hasQuery: boolean;
  readonly hasEncodedSlash: boolean;
  readonly rawHeaders: readonly string[];
  readonly head: RequestHead;

  constructor(
    method: string,
    host: string,
    hostField: string,
    target: Target,
    rawHeaders: readonly string[],
    head: RequestHead,
  ) {
    this.method = method;
    this.host = host;
    this.hostField = hostField;
    this.path = target.path;
    this.query = target.query;
    this.hasQuery = target.hasQuery;
    this.hasEncodedSlash = target.hasEncodedSlash;
    this.rawHeaders = rawHeaders;
    this.head = head;
  }

  get hasBody(): boolean {
    return this.head.contentLength > 0 || this.head.transferEncoding !== null;
  }
}

/** Why a request is refused; `detail` is safe to show. */
export class Refusal implements PolicyRefusal {
  readonly kind = 'refusal';
  readonly headers: readonly string[] = [];
  readonly error: ErrorDefinition;
  readonly detail: string | null;

  constructor(error: ErrorDefinition, detail: string | null) {
    this.error = error;
    this.detail = detail;
  }
}

export function admit(
  { method, target: targetText, version, rawHeaders, head }: ReadHead,
  { maxHeaderCount, maxTargetBytes }: AdmissionLimits,
): AdmittedRequest | Refusal {
  if (method === 'CONNECT' || method === 'TRACE') return new Refusal(ERRORS.methodNotAllowed, null);
  if (version !== '1.1' && version !== '1.0') return new Refusal(ERRORS.versionNotSupported, null);
  if (rawHeaders.length > 2 * maxHeaderCount)
    return new Refusal(ERRORS.headersTooLarge, `at most ${maxHeaderCount} fields`);
  const target = parseTarget(targetText, maxTargetBytes);
  if (target.problem === 'too long') return new Refusal(ERRORS.targetTooLong, null);
  if (target.problem !== null) return new Refusal(ERRORS.badTarget, target.problem);
  return refuseFraming(head, version) ?? admitHost(method, target, head, rawHeaders);
}

/** What the client's Expect field asks for (RFC 9110 §10.1.1): HTTP/1.0 knows none. */
export type Expectation = 'none' | 'continue' | 'unknown';

export function expectationOf({ head, version }: ReadHead): Expectation {
  if (head.expect === '' || version === '1.0') return 'none';
  return head.expect === '100-continue' ? 'continue' : 'unknown';
}

/** Whether a request asks for a WebSocket, and only for that (RFC 6455 §4.1). */
export function isWebSocketUpgrade({ method, version, head, isWhole }: ReadHead): boolean {
  return method === 'GET' && version === '1.1' && isWhole && head.saysUpgrade && head.upgrade === 'websocket';
}

/** Why the route that takes a request refuses it; null where it does not. */
export function refuseByRoute(
  route: { readonly allowEncodedSlash: boolean; readonly maxBodyBytes: number },
  request: AdmittedRequest,
): Refusal | null {
  if (request.hasEncodedSlash && !route.allowEncodedSlash)
    return new Refusal(ERRORS.badTarget, 'encoded slash');
  return request.head.contentLength > route.maxBodyBytes
    ? new Refusal(ERRORS.bodyTooLarge, `at most ${route.maxBodyBytes} bytes`)
    : null;
}

/** What nobody can frame, or two readers would frame differently (RFC 9112 §6.1, §6.3). */
function refuseFraming(head: RequestHead, version: string): Refusal | null {
  if (head.repeatsContentLength) return new Refusal(ERRORS.badRequest, 'more than one Content-Length');
  // Beyond, it would be sent on rounded, and perhaps beyond 2^64, where an origin may count from 0 again.
  if (!Number.isSafeInteger(head.contentLength))
    return new Refusal(ERRORS.badRequest, 'Content-Length is no number, or beyond 2^53');
  if (head.transferEncoding === null) return null;
  if (head.contentLength !== -1)
    return new Refusal(ERRORS.badRequest, 'Content-Length beside Transfer-Encoding');
  if (version === '1.0') return new Refusal(ERRORS.badRequest, 'Transfer-Encoding in HTTP/1.0');
  if (head.transferEncoding === 'chunked') return null;
  // Where chunked is not the last coding and only that, nobody knows where the body ends: §6.3 asks for 400, not 501.
  const codings = head.transferEncoding.split(',').map((coding) => coding.trim());
  if (codings.indexOf('chunked') !== codings.length - 1)
    return new Refusal(
      ERRORS.badRequest,
      'the last Transfer-Encoding is not chunked, or not the only chunked one',
    );
  return new Refusal(ERRORS.codingNotImplemented, null);
}

function admitHost(
  method: string,
  target: Target,
  head: RequestHead,
  rawHeaders: readonly string[],
): AdmittedRequest | Refusal {
  if (head.hostCount !== 1) return new Refusal(ERRORS.badHost, null);
  // RFC 9112 §3.2.2: an absolute-form target overrules Host, which still has to be valid.
  const fieldHost = canonicalHost(head.host);
  const hostField = target.authority ?? head.host;
  const host = target.authority === null ? fieldHost : canonicalHost(target.authority);
  if (fieldHost === null || host === null) return new Refusal(ERRORS.badHost, null);
  return new AdmittedRequest(method, host, hostField, target, rawHeaders, head);
}
