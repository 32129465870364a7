/** From the head that the client sent to the head that the origin gets (RFC 9110 §7.6). */
import {
  addNominated,
  CONNECTION,
  CONTENT_LENGTH,
  DROP,
  EXPECT,
  FORWARDED,
  FORWARDED_FOR,
  HOST,
  KEEP,
  REQUEST_ID,
  requestHeaderRule,
  TE,
  TRAILER,
  TRANSFER_ENCODING,
  UPGRADE,
} from './header-rules.ts';
import { type IdentityHeaders, NO_IDENTITY_HEADERS } from './identity-headers.ts';

/** What `readRequestHead` finds in one pass over a request's raw headers. Reused by nobody: one a request. */
export class RequestHead {
  hostCount = 0;
  host = '';
  /** -1 where there is no Content-Length; NaN where it is no number. */
  contentLength = -1;
  /** Content-Length occurs more than once: even with equal values, nobody sends that in good faith. */
  repeatsContentLength = false;
  /** The value of Transfer-Encoding, lower-cased; null where there is none: an empty one is none that anybody knows. */
  transferEncoding: string | null = null;
  /** The value of X-Request-Id; empty where there is none. */
  requestId = '';
  forwardedFor = '';
  hasForwarded = false;
  hasForwardedProto = false;
  /** The first value of X-Forwarded-Proto, lower-cased. */
  forwardedProto = '';
  hasForwardedHost = false;
  expectsTrailers = false;
  announcesTrailers = false;
  nominated: Set<string> | null = null;
  /** What Connection says of the connection itself (RFC 9112 §9.3). */
  saysClose = false;
  saysKeepAlive = false;
  saysUpgrade = false;
  /** The value of Upgrade, lower-cased; empty where there is none. */
  upgrade = '';
  /** The value of Expect, lower-cased; empty where there is none. */
  expect = '';
}

/** Reads what routing, limits and forwarding need. `rawHeaders` is flat: name, value, name, value, … */
export function readRequestHead(rawHeaders: readonly string[]): RequestHead {
  const head = new RequestHead();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const rule = requestHeaderRule(rawHeaders[index]!);
    if (rule !== KEEP && rule !== DROP) readField(head, rule, rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  return head;
}

function readField(head: RequestHead, rule: number, name: string, value: string): void {
  switch (rule) {
    case HOST:
      head.hostCount += 1;
      head.host = value;
      break;
    case CONNECTION:
      readConnection(head, value);
      break;
    case CONTENT_LENGTH:
      head.repeatsContentLength ||= head.contentLength !== -1;
      head.contentLength = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      break;
    case TRANSFER_ENCODING:
      head.transferEncoding = listed(head.transferEncoding, value.toLowerCase());
      break;
    case REQUEST_ID:
      head.requestId = value;
      break;
    case FORWARDED_FOR:
      head.forwardedFor = joined(head.forwardedFor, value);
      break;
    case FORWARDED:
      readForwarded(head, name.toLowerCase(), value);
      break;
    case TE:
      head.expectsTrailers ||= value
        .toLowerCase()
        .split(',')
        .some((coding) => coding.trim() === 'trailers');
      break;
    case TRAILER:
      head.announcesTrailers = true;
      break;
    case UPGRADE:
      head.upgrade = joined(head.upgrade, value.toLowerCase());
      break;
    case EXPECT:
      head.expect = joined(head.expect, value.toLowerCase());
      break;
  }
}

/** One of the options in a list, which may be written in any case. */
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const KEEP_ALIVE = /(?:^|,)[ \t]*keep-alive[ \t]*(?:,|$)/i;

function readConnection(head: RequestHead, value: string): void {
  // What nearly all clients say.
  if (value === 'keep-alive') {
    head.saysKeepAlive = true;
    return;
  }
  head.saysClose ||= CLOSE.test(value);
  head.saysKeepAlive ||= KEEP_ALIVE.test(value);
  head.nominated = addNominated(value, head.nominated);
  head.saysUpgrade ||= head.nominated?.has('upgrade') ?? false;
}

function joined(before: string, value: string): string {
  return before === '' ? value : `${before}, ${value}`;
}

/** The same where it counts that there was a field, though an empty one. */
function listed(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

function readForwarded(head: RequestHead, name: string, value: string): void {
  if (name === 'forwarded') head.hasForwarded = true;
  else if (name === 'x-forwarded-proto') readForwardedProto(head, value);
  else if (name === 'x-forwarded-host') head.hasForwardedHost = true;
}

function readForwardedProto(head: RequestHead, value: string): void {
  if (!head.hasForwardedProto) head.forwardedProto = value.split(',', 1)[0]!.trim().toLowerCase();
  head.hasForwardedProto = true;
}

/** What the gateway says of the client in the request that it sends on. */
export interface ForwardingFacts {
  /** The address of the peer, as text. */
  readonly peerAddress: string;
  /** Whether the peer may speak for others: then what it says is kept and added to. */
  readonly peerTrusted: boolean;
  readonly scheme: 'http' | 'https';
  /** The Host that the client asked for, as it wrote it. */
  readonly clientHost: string;
  readonly requestId: string;
  /** What no client may say of itself. */
  readonly identityHeaders: IdentityHeaders;
}

/** No look-alike of another. */
const PLAIN_NAME = /^[a-z0-9-]+$/i;

/**
 * Builds the flat header list for the origin: hop-by-hop fields dropped, forwarding fields replaced (or
 * added to, for a trusted peer), our own ones last, so that nothing a client sends can take their place.
 * Host, Content-Length, framing and Expect are left to the caller and the upstream engine, but
 * Content-Length passes as it is.
 */
export function buildRequestHeaders(
  rawHeaders: readonly string[],
  head: RequestHead,
  facts: ForwardingFacts,
): string[] {
  const out: string[] = [];
  const identityHeaders = facts.identityHeaders.isEmpty ? null : facts.identityHeaders;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    const rule = requestHeaderRule(name);
    if (rule === KEEP || rule === CONTENT_LENGTH) {
      if (head.nominated?.has(name.toLowerCase()) && rule === KEEP) continue;
      if (identityHeaders?.has(name)) continue;
      out.push(name, rawHeaders[index + 1]!);
    } else if (
      rule === FORWARDED &&
      facts.peerTrusted &&
      name.toLowerCase() !== 'forwarded' &&
      PLAIN_NAME.test(name)
    ) {
      out.push(name, rawHeaders[index + 1]!);
    }
  }
  if (head.expectsTrailers) out.push('te', 'trailers');
  addForwardingHeaders(out, rawHeaders, head, facts);
  out.push('x-request-id', facts.requestId);
  return out;
}

function addForwardingHeaders(
  out: string[],
  rawHeaders: readonly string[],
  head: RequestHead,
  facts: ForwardingFacts,
): void {
  const trusted = facts.peerTrusted;
  out.push('x-forwarded-for', trusted ? joined(head.forwardedFor, facts.peerAddress) : facts.peerAddress);
  if (!trusted || !head.hasForwardedProto) out.push('x-forwarded-proto', facts.scheme);
  if (!trusted || !head.hasForwardedHost) out.push('x-forwarded-host', facts.clientHost);
  // RFC 7239 is spoken only where the client side speaks it: most origins read the X- fields.
  if (head.hasForwarded) out.push('forwarded', forwardedValue(rawHeaders, facts));
}

/** The Forwarded field (RFC 7239 §4): our element, after those of a trusted peer. */
function forwardedValue(rawHeaders: readonly string[], facts: ForwardingFacts): string {
  const address = facts.peerAddress.includes(':') ? `"[${facts.peerAddress}]"` : facts.peerAddress;
  let value = '';
  if (facts.peerTrusted) {
    for (let index = 0; index < rawHeaders.length; index += 2) {
      if (rawHeaders[index]!.toLowerCase() === 'forwarded') value = joined(value, rawHeaders[index + 1]!);
    }
  }
  return joined(value, `for=${address};host="${facts.clientHost}";proto=${facts.scheme}`);
}

/** Fields that a trailer section must not carry: framing, routing, authentication (RFC 9110 §6.5.1). */
const FORBIDDEN_TRAILERS: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expires',
  'forwarded',
  'host',
  'location',
  'range',
  'retry-after',
  'set-cookie',
  'vary',
  'warning',
  'www-authenticate',
]);

/** A trailer section without the fields that it must not carry; null where nothing is left. */
export function cleanTrailers(
  rawTrailers: readonly string[],
  identityHeaders = NO_IDENTITY_HEADERS,
): string[] | null {
  let kept: string[] | null = null;
  for (let index = 0; index + 1 < rawTrailers.length; index += 2) {
    const name = rawTrailers[index]!;
    if (FORBIDDEN_TRAILERS.has(name.toLowerCase()) || requestHeaderRule(name) !== KEEP) continue;
    if (identityHeaders.has(name)) continue;
    kept ??= [];
    kept.push(name, rawTrailers[index + 1]!);
  }
  return kept;
}
