/** The head of a request as an origin gets it (RFC 9112 §3, §5). */
import type { UpstreamRequest } from '../upstream.ts';
import { checkValue, FieldError, formatFields, hasField, TOKEN } from '../wire-fields.ts';

const TARGET = /^[\x21-\x7e\x80-\xff]+$/;

/** How the body is framed. */
export type RequestFraming = 'none' | 'length' | 'chunked';

export function framingOf({ body, headers }: UpstreamRequest): RequestFraming {
  if (body === null) return 'none';
  return hasField(headers, 'content-length') ? 'length' : 'chunked';
}

/** No leading zeros, and not more digits than add up exactly. */
const PLAIN_LENGTH = /^(?:0|[1-9]\d{0,14})$/;

/**
 * The fields with their length as everybody writes it: origins disagree on leading zeros, and on a second length.
 * @throws FieldError where there is no such way to write it
 */
function withPlainLength(headers: readonly string[]): readonly string[] {
  let at = -1;
  for (let index = 0; index < headers.length; index += 2) {
    if (!isContentLength(headers[index]!)) continue;
    if (at !== -1) throw new FieldError('more than one Content-Length');
    at = index + 1;
  }
  if (at === -1 || PLAIN_LENGTH.test(headers[at]!)) return headers;
  const length = /^\d+$/.test(headers[at]!) ? Number(headers[at]) : Number.NaN;
  if (!Number.isSafeInteger(length)) throw new FieldError('Content-Length is no number, or too large');
  return headers.with(at, String(length));
}

function isContentLength(name: string): boolean {
  return name.length === 'content-length'.length && name.toLowerCase() === 'content-length';
}

/**
 * The whole head, in Latin-1, with the empty line.
 * @throws Error where something in it could be read as the end of a line, or as something else than it is
 */
export function buildRequestHead(request: UpstreamRequest, framing: RequestFraming): string {
  const { method, target, host, headers } = request;
  if (!TOKEN.test(method)) throw new FieldError('a method that is no token');
  if (!TARGET.test(target)) throw new FieldError('a target that cannot be sent');
  checkValue(host);
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n`;
  head += formatFields(withPlainLength(headers));
  if (framing === 'chunked') head += 'transfer-encoding: chunked\r\n';
  if (request.expectContinue) head += 'expect: 100-continue\r\n';
  return `${head}connection: keep-alive\r\n\r\n`;
}

/** The trailer section behind the last chunk, with the empty line. @param trailers flat; null: none */
export function buildTrailerSection(trailers: readonly string[] | null): string {
  return `${formatFields(trailers ?? [])}\r\n`;
}
