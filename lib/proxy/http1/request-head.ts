/** The head of a request as an origin gets it (RFC 9112 §3, §5). */
import type { UpstreamRequest } from '../upstream.ts';

/** Something that would not stay what it is on the wire. The code makes it a failure of the protocol. */
class RequestHeadError extends Error {
  readonly code = 'ERR_INVALID_CHAR';
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** All that must not stand in a field value: controls, and what is no single byte. */
const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const FORBIDDEN_IN_TARGET = /[^\x21-\x7e\x80-\xff]/;

/** Names that were found valid: most come again and again. Bounded, as clients choose them. */
const validNames = new Set<string>();
const MAX_REMEMBERED_NAMES = 2_000;
const LONGEST_REMEMBERED_NAME = 64;

function checkName(name: string): void {
  if (validNames.has(name)) return;
  if (!TOKEN.test(name)) throw new RequestHeadError('a field name that is no token');
  if (validNames.size < MAX_REMEMBERED_NAMES && name.length <= LONGEST_REMEMBERED_NAME) validNames.add(name);
}

function checkValue(value: string): void {
  if (FORBIDDEN_IN_VALUE.test(value)) throw new RequestHeadError('a field value that cannot be sent');
}

/** How the body is framed. */
export type RequestFraming = 'none' | 'length' | 'chunked';

export function framingOf({ body, headers }: UpstreamRequest): RequestFraming {
  if (body === null) return 'none';
  return hasField(headers, 'content-length') ? 'length' : 'chunked';
}

function hasField(headers: readonly string[], name: string): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const field = headers[index]!;
    if (field.length === name.length && field.toLowerCase() === name) return true;
  }
  return false;
}

/**
 * The whole head, in Latin-1, with the empty line.
 * @throws Error where something in it could be read as the end of a line, or as something else than it is
 */
export function buildRequestHead(request: UpstreamRequest, framing: RequestFraming): string {
  const { method, target, host, headers } = request;
  if (!TOKEN.test(method)) throw new RequestHeadError('a method that is no token');
  if (FORBIDDEN_IN_TARGET.test(target)) throw new RequestHeadError('a target that cannot be sent');
  checkValue(host);
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    const value = headers[index + 1]!;
    checkName(name);
    checkValue(value);
    head += `${name}: ${value}\r\n`;
  }
  if (framing === 'chunked') head += 'transfer-encoding: chunked\r\n';
  if (request.expectContinue) head += 'expect: 100-continue\r\n';
  return `${head}connection: keep-alive\r\n\r\n`;
}

/** The trailer section behind the last chunk, with the empty line. @param trailers flat; null: none */
export function buildTrailerSection(trailers: readonly string[] | null): string {
  let section = '';
  for (let index = 0; trailers !== null && index < trailers.length; index += 2) {
    checkName(trailers[index]!);
    checkValue(trailers[index + 1]!);
    section += `${trailers[index]}: ${trailers[index + 1]}\r\n`;
  }
  return `${section}\r\n`;
}
