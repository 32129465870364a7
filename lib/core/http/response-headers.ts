/** From the head that the origin sent to the head that the client gets. */
import {
  addNominated,
  CONNECTION,
  CONTENT_LENGTH,
  DROP,
  KEEP,
  REQUEST_ID,
  responseHeaderRule,
  TRAILER,
  TRANSFER_ENCODING,
} from './header-rules.ts';

/** What came out of one pass over a response's raw headers. */
export class ResponseHead {
  /** Flat: name, value, name, value, … */
  headers: string[] = [];
  /** -1 where the length is not known beforehand. */
  contentLength = -1;
  /** The body is in a transfer coding that nobody here undoes, so that it cannot be passed on. */
  hasUnknownCoding = false;
}

/**
 * Whether a reason phrase can stand in a status line (RFC 9112 §4): no controls, and nothing beyond latin1.
 */
export function isPlainReason(reason: string): boolean {
  for (let index = 0; index < reason.length; index += 1) {
    const code = reason.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

/**
 * Drops hop-by-hop fields, and Content-Length where the status allows none (RFC 9110 §8.6); adds the request
 * id unless the origin sent one. The framing of the body is the listener's own.
 * @param mayTrail whether trailers can follow at all: the client takes chunks, and the answer has a body
 */
export function buildResponseHead(
  rawHeaders: readonly string[],
  status: number,
  requestId: string,
  mayTrail = true,
): ResponseHead {
  const head = new ResponseHead();
  const out = head.headers;
  const nominated = nominatedBy(rawHeaders);
  let hasRequestId = false;
  let trailer = '';
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    const value = rawHeaders[index + 1]!;
    const rule = responseHeaderRule(name);
    if (rule === DROP || rule === CONNECTION) continue;
    if (rule === TRANSFER_ENCODING) {
      head.hasUnknownCoding ||= value.toLowerCase() !== 'chunked';
      continue;
    }
    if (rule === CONTENT_LENGTH) {
      if (status === 204 || status < 200) continue;
      head.contentLength = Number(value);
    } else if (rule === REQUEST_ID) {
      if (hasRequestId) continue;
      hasRequestId = true;
    } else if (rule === KEEP && nominated !== null && nominated.has(name.toLowerCase())) {
      continue;
    } else if (rule === TRAILER) {
      trailer = trailer === '' ? value : `${trailer}, ${value}`;
      continue;
    }
    out.push(name, value);
  }
  // Only chunks can be followed by trailers; Node refuses to announce them otherwise.
  if (trailer !== '' && mayTrail && status !== 204 && head.contentLength === -1) out.push('Trailer', trailer);
  if (!hasRequestId) out.push('x-request-id', requestId);
  return head;
}

function nominatedBy(rawHeaders: readonly string[]): Set<string> | null {
  let nominated: Set<string> | null = null;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (responseHeaderRule(rawHeaders[index]!) === CONNECTION) {
      nominated = addNominated(rawHeaders[index + 1]!, nominated);
    }
  }
  return nominated;
}
