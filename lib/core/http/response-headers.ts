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
}

/**
 * Drops hop-by-hop fields, and Content-Length where the status allows none (RFC 9110 §8.6); adds the request
 * id unless the origin sent one. The framing of the body is the listener's own.
 */
export function buildResponseHead(
  rawHeaders: readonly string[],
  status: number,
  requestId: string,
): ResponseHead {
  const head = new ResponseHead();
  const out = head.headers;
  const nominated = nominatedBy(rawHeaders);
  let hasRequestId = false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    const value = rawHeaders[index + 1]!;
    const rule = responseHeaderRule(name);
    if (rule === DROP || rule === CONNECTION || rule === TRANSFER_ENCODING) continue;
    if (rule === CONTENT_LENGTH) {
      if (status === 204 || status < 200) continue;
      head.contentLength = Number(value);
    } else if (rule === REQUEST_ID) {
      if (hasRequestId) continue;
      hasRequestId = true;
    } else if (rule === KEEP && nominated !== null && nominated.has(name.toLowerCase())) {
      continue;
    } else if (rule === TRAILER && status === 204) {
      continue;
    }
    out.push(name, value);
  }
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
