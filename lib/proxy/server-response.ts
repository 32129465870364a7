/**
 * Node's response to a client, but for how its head is put together. Node looks at each field several times to find
 * out what the gateway knows: that costs more than all of a request's routing. The outcome is the same.
 */
import { ServerResponse } from 'node:http';
import { formatFields, hasField } from './wire-fields.ts';

/**
 * What Node writes the head from, and to: not documented, but the same for many years. Where a Node calls
 * `_storeHeader` no more, it puts the head together itself, as it does for whatever this class does not take.
 */
interface NodeResponse {
  _storeHeader(statusLine: string, headers: unknown): void;
  _header: string | null;
  _headerSent: boolean;
  /** False for HEAD, 1xx, 204 and 304. */
  _hasBody: boolean;
  /** The connection ends with this response. */
  _last: boolean;
  /** In ms. */
  _keepAliveTimeout: number;
}

const storeHeader = (ServerResponse.prototype as unknown as NodeResponse)._storeHeader;

let dateLine = '';
let dateSecond = -1;

/** The Date field (RFC 9110 §6.6.1), which changes once a second. */
function currentDateLine(): string {
  const nowMs = Date.now();
  const second = Math.floor(nowMs / 1_000);
  if (second !== dateSecond) dateLine = `date: ${new Date(nowMs).toUTCString()}\r\n`;
  dateSecond = second;
  return dateLine;
}

export class GatewayResponse extends ServerResponse {
  /**
   * How the body ends, where the caller of `writeHead` knows: with its last byte or with its last chunk. Null leaves
   * it to Node.
   */
  framing: 'length' | 'chunked' | null = null;
  /** How long the connection is kept without a request, as the client is told; 0: for ever. */
  keepAliveMs = 0;

  /** @param headers flat: name, value, name, value, … */
  _storeHeader(statusLine: string, headers: unknown): void {
    const node = this as unknown as NodeResponse;
    if (this.framing === null || !node._hasBody || !this.useChunkedEncodingByDefault) {
      node._keepAliveTimeout = this.keepAliveMs;
      storeHeader.call(node, statusLine, headers);
      return;
    }
    const fields = headers as string[];
    let head = statusLine + formatFields(fields);
    if (!hasField(fields, 'date')) head += currentDateLine();
    if (this.framing === 'chunked') head += 'transfer-encoding: chunked\r\n';
    this.chunkedEncoding = this.framing === 'chunked';
    // The only word of it that is ever among the fields is `close`.
    const saysClose = hasField(fields, 'connection');
    node._last = !this.shouldKeepAlive || saysClose;
    if (!saysClose) head += this.#persistence(node._last);
    node._header = `${head}\r\n`;
    node._headerSent = false;
  }

  #persistence(isLast: boolean): string {
    if (isLast) return 'connection: close\r\n';
    if (this.keepAliveMs === 0) return 'connection: keep-alive\r\n';
    return `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(this.keepAliveMs / 1_000)}\r\n`;
  }
}
