/** The texts that cases are made of. */

/**
 * Every gateway under test forwards what is below /public/ and nothing else, so this request can only reach the
 * origin where the gateway did not see that it is one.
 */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** What the client asks for behind the case, where its connection is still open. */
export const PROBE_TARGET = '/public/probe';
/** What another client asks for before and after the case. */
export const BARRIER_TARGET = '/public/barrier';

export const CHUNKED = 'Transfer-Encoding: chunked\r\n';
export const LAST_CHUNK = '0\r\n\r\n';

/** What makes a GET ask for a WebSocket (RFC 6455 §4.1). */
export const WEBSOCKET_FIELDS =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** A request without a body; `fields` are whole lines. */
export function get(fields = '', target = '/public/x'): string {
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`;
}

/** A request whose body is for `fields` to frame. */
export function post(fields: string, body: string, target = '/public/x'): string {
  return `POST ${target} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n${body}`;
}

export function contentLength(body: string): string {
  return `Content-Length: ${body.length}\r\n`;
}

export function chunk(content: string): string {
  return `${content.length.toString(16)}\r\n${content}\r\n`;
}

/** A plain request that is to be the last on its connection. */
export function closingRequest(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
}

/** A well-formed answer. */
export function answer(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}${contentLength(body)}\r\n${body}`;
}
