/**
 * The seam between forwarding and the engine that speaks HTTP/1.1 to an origin. Engines know nothing of
 * routes, retries or clients.
 */
import type { RetryCondition } from '../core/config/model.ts';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import type { Lender } from './http1/read-memory.ts';

/** Takes the body of a request. */
export interface BodySink {
  /**
   * @param lender whose memory it is: valid during the call only, unless it is held; null where it is nobody else's
   * @returns false: no more until it `pull`s, but for what is here already
   */
  onBodyData(chunk: Buffer, lender: Lender | null): boolean;
  onBodyEnd(): void;
}

/** Gives the body of a request, to one sink at a time. */
export interface BodySource {
  /** Whether some of it, or its end, is here: `open` gives it within the call. */
  readonly isHere: boolean;
  /** Gives the whole body to the sink, from its beginning, what a sink before has got included. */
  open(sink: BodySink): void;
  /** The sink takes more. */
  pull(sink: BodySink): void;
  /** The sink takes nothing more. */
  detach(sink: BodySink): void;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Origin-form: path and query. */
  readonly target: string;
  /** The Host field. */
  readonly host: string;
  /** Flat: name, value, …; without Host, Connection, Transfer-Encoding and Expect. */
  readonly headers: string[];
  /** Null where the request has none. Its length is in Content-Length, or it is sent chunked. */
  readonly body: BodySource | null;
  /** Ask the origin before the body is sent (RFC 9110 §10.1.1). */
  readonly expectContinue: boolean;
  /** Trailer fields of the request, known once its body has ended; null where none were announced. */
  readonly trailers: (() => string[] | null) | null;
  /** Not over a connection that was used before. */
  readonly freshConnection: boolean;
  /** Whether it does no harm where an origin gets it twice (RFC 9110 §9.2.2). */
  readonly mayRepeat: boolean;
}

/** The connections to one destination. */
export interface UpstreamOptions {
  /** Until a connection stands, TLS included. */
  readonly connectMs: number;
  readonly maxConnections: number;
  /** How many requests may wait for a connection. */
  readonly maxQueued: number;
  /** An unused connection is closed after this. */
  readonly idleMs: number;
}

/** Receives one response. After `onEnd` or `onFailure` nothing more is called. */
export interface UpstreamHandler {
  /** A connection stands and the head is about to be written: from here on the origin may act on the request. */
  onSent(): void;
  /** The origin wants the body (only with `expectContinue`). */
  onContinue(): void;
  /** A 1xx response other than 100 and 101. */
  onInformation(status: number, rawHeaders: string[]): void;
  onHead(status: number, statusText: string, rawHeaders: string[]): void;
  /**
   * False asks to pause until `resume`.
   * @param lender whose memory it is: valid during the call only, unless it is held; null where it is nobody else's
   */
  onData(chunk: Buffer, lender: Lender | null): boolean;
  /** All that has come is read, and more is to come: soon after each head and piece of the body. */
  onReadEnd(): void;
  /** The message is complete. `rawTrailers` is flat and may be empty. */
  onEnd(rawTrailers: string[]): void;
  onFailure(failure: UpstreamFailure): void;
}

/** One request under way. */
export interface UpstreamExchange {
  resume(): void;
  /** Gives up: the connection is closed, the handler hears nothing more. Harmless when all is over. */
  abort(): void;
}

export interface Upstream {
  /** Whether one more request would have to wait, and may not. */
  readonly full: boolean;
  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange;
  /** Lets what is under way or waits finish, and then closes the connections. Does not wait for that. */
  close(): Promise<void>;
  /** Closes everything now. */
  destroy(): Promise<void>;
}

/** Why an attempt failed, in terms of our own table. `detail` is for the log, never for the client. */
export interface UpstreamFailure {
  readonly error: ErrorDefinition;
  readonly condition: RetryCondition | null;
  readonly detail: string;
  /**
   * A connection that was used before broke without a byte of an answer: as like as not the origin had closed it
   * for having been idle, while the request was on its way.
   */
  readonly isStale: boolean;
}

/** Engines' errors differ in class but agree on `code`. */
interface CodedError extends Error {
  readonly code?: unknown;
}

/**
 * Sorts an engine's error into our table.
 * @param sent whether the request had begun to leave
 */
export function failureOf(error: CodedError, sent: boolean): Omit<UpstreamFailure, 'isStale'> {
  const code = typeof error.code === 'string' ? error.code : '';
  const detail = code === '' ? error.message : `${code}: ${error.message}`;
  // It is we who would send what cannot be sent, wherever it would go.
  if (code === 'ERR_INVALID_CHAR') return { error: ERRORS.upstreamProtocol, condition: null, detail };
  // The first is undici's, the second that of WebSockets.
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ECONNECT_TIMEOUT') {
    return { error: ERRORS.upstreamConnectTimeout, condition: 'connect', detail };
  }
  if (code === 'ERR_ADDRESS_NOT_ALLOWED')
    return { error: ERRORS.upstreamForbidden, condition: 'connect', detail };
  // After the request was sent a broken TLS stream is a lost connection: the origin may have acted on it.
  if (isTlsFailure(code)) {
    return { error: ERRORS.upstreamTls, condition: sent ? 'reset' : 'connect', detail };
  }
  if (!sent) return { error: ERRORS.upstreamConnect, condition: 'connect', detail };
  if (isProtocolFailure(error, code)) return { error: ERRORS.upstreamProtocol, condition: null, detail };
  return { error: ERRORS.upstreamReset, condition: 'reset', detail };
}

const TLS_CODES =
  /^(ERR_(TLS|SSL|OSSL)_|CERT_|CRL_|UNABLE_TO_|ERROR_IN_C(ERT|RL)_)|SELF_SIGNED_CERT|^EPROTO$/;
/** What else Node calls a certificate that does not do: OpenSSL's X509_V_ERR_…, and one word for all that it knows no name of. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'UNSPECIFIED',
]);

/**
 * Engines do not all say at which step they failed, but codes do: those of TCP and of name resolution are the
 * system's, and none of these.
 */
function isTlsFailure(code: string): boolean {
  return TLS_CODES.test(code) || CERTIFICATE_CODES.has(code);
}

/** Interim responses that undici does not take (100 and 101): it has no code of their own for them. */
const REFUSED_INTERIM_RESPONSES: ReadonlySet<string> = new Set(['bad response', 'bad upgrade']);

/** Not every parser error of undici has a code, but all have the name. */
function isProtocolFailure({ name, message }: CodedError, code: string): boolean {
  return (
    name === 'HTTPParserError' ||
    code.startsWith('ERR_MESSAGE_') ||
    code.startsWith('HPE_') ||
    code.startsWith('UND_ERR_HEADERS_') ||
    code.startsWith('UND_ERR_RES_') ||
    code === 'UND_ERR_INVALID_ARG' ||
    (code === 'UND_ERR_SOCKET' && REFUSED_INTERIM_RESPONSES.has(message))
  );
}
