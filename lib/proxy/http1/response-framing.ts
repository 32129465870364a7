/** Where the body of a response ends, and whether the connection lives on (RFC 9112 §6.3, §9.3). */
import { MessageError } from './message-error.ts';

/** The length of a body that has none but ends with its chunks, or with the connection. */
export const CHUNKED = -1;
export const UNTIL_CLOSE = -2;

/** What the fields of a response say of its framing. */
export class ResponseFraming {
  /** In bytes, or CHUNKED, or UNTIL_CLOSE: as the fields say, whether or not there may be a body. */
  length: number = UNTIL_CLOSE;
  /** How long the origin keeps an idle connection, as it says, in seconds; -1 where it does not. */
  keepAliveSeconds = -1;
  saysClose = false;
  saysKeepAlive = false;

  /** Whether the fields say that a body follows. */
  get declaresBody(): boolean {
    return this.length === CHUNKED || this.length > 0;
  }

  /** Whether another request may follow. @param minorVersion of HTTP/1: in 1.0 the origin has to offer it */
  allowsReuse(minorVersion: number): boolean {
    return !this.saysClose && (minorVersion > 0 || this.saysKeepAlive);
  }
}

const NAME_LENGTHS = { connection: 10, keepAlive: 10, contentLength: 14, transferEncoding: 17 };

/** One of the options in a list (RFC 9110 §7.6.1). */
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const KEEP_ALIVE = /(?:^|,)[ \t]*keep-alive[ \t]*(?:,|$)/i;
const TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})/i;

/**
 * @param fields flat: name, value, name, value, …
 * @param minorVersion of HTTP/1
 * @throws MessageError where two readers could disagree on the end of the body
 */
export function readFraming(fields: readonly string[], minorVersion: number): ResponseFraming {
  const framing = new ResponseFraming();
  let contentLength: string | null = null;
  let transferEncoding: string | null = null;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    const value = fields[index + 1]!;
    // Most fields are told apart by their length alone.
    if (name.length === NAME_LENGTHS.connection) readConnection(framing, name.toLowerCase(), value);
    else if (name.length === NAME_LENGTHS.contentLength && name.toLowerCase() === 'content-length') {
      if (contentLength !== null) throw new MessageError('more than one Content-Length');
      contentLength = value;
    } else if (name.length === NAME_LENGTHS.transferEncoding && name.toLowerCase() === 'transfer-encoding') {
      transferEncoding = transferEncoding === null ? value : `${transferEncoding}, ${value}`;
    }
  }
  framing.length = lengthOf(contentLength, transferEncoding, minorVersion);
  return framing;
}

function lengthOf(
  contentLength: string | null,
  transferEncoding: string | null,
  minorVersion: number,
): number {
  if (transferEncoding !== null) {
    if (contentLength !== null) throw new MessageError('Content-Length beside Transfer-Encoding');
    if (minorVersion === 0) throw new MessageError('Transfer-Encoding in HTTP/1.0');
    if (transferEncoding.toLowerCase() !== 'chunked') throw new MessageError('unknown transfer coding');
    return CHUNKED;
  }
  return contentLength === null ? UNTIL_CLOSE : parseLength(contentLength);
}

function parseLength(text: string): number {
  const length = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(length)) throw new MessageError('Content-Length is no number, or too large');
  return length;
}

function readConnection(framing: ResponseFraming, name: string, value: string): void {
  if (name === 'connection') {
    framing.saysClose ||= CLOSE.test(value);
    framing.saysKeepAlive ||= KEEP_ALIVE.test(value);
  } else if (name === 'keep-alive') {
    const match = TIMEOUT.exec(value);
    if (match !== null) framing.keepAliveSeconds = Number(match[1]);
  }
}
