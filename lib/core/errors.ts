/**
 * Every error that the gateway itself answers or logs, in one table. A code is never reused for another
 * meaning: people grep logs and write alerts by it.
 */

/** Who is at fault: the client's request, the gateway (or its configuration), or the origin. */
type FailureSide = 'client' | 'gateway' | 'origin';

export interface ErrorDefinition {
  readonly code: string;
  readonly status: number;
  /** The `title` of the problem document (RFC 9457 §3.1.4): the same for every occurrence. */
  readonly title: string;
  /** Whether the same request may succeed when it is sent again later. */
  readonly retryable: boolean;
  readonly side: FailureSide;
}

function define(
  code: string,
  status: number,
  side: FailureSide,
  retryable: boolean,
  title: string,
): ErrorDefinition {
  return Object.freeze({ code: `GW_ERR_${code}`, status, title, retryable, side });
}

export const ERRORS = {
  badRequest: define('BAD_REQUEST', 400, 'client', false, 'The request is not valid HTTP'),
  tlsExpected: define('TLS_EXPECTED', 400, 'client', false, 'This port takes TLS only: use https'),
  badTarget: define('BAD_TARGET', 400, 'client', false, 'The request target is not acceptable'),
  badHost: define('BAD_HOST', 400, 'client', false, 'The request needs exactly one valid Host field'),
  unauthenticated: define('UNAUTHENTICATED', 401, 'client', false, 'Valid credentials are needed'),
  accessDenied: define('ACCESS_DENIED', 403, 'client', false, 'The credentials do not allow this'),
  addressDenied: define(
    'ADDRESS_DENIED',
    403,
    'client',
    false,
    'The address of the client is not allowed here',
  ),
  originDenied: define(
    'ORIGIN_DENIED',
    403,
    'client',
    false,
    'Pages of this origin may not open WebSockets here',
  ),
  noRoute: define('NO_ROUTE', 404, 'client', false, 'No route matches the request'),
  methodNotAllowed: define(
    'METHOD_NOT_ALLOWED',
    405,
    'client',
    false,
    'The gateway does not serve this method',
  ),
  requestTimeout: define('REQUEST_TIMEOUT', 408, 'client', true, 'The request took too long to arrive'),
  bodyTooLarge: define(
    'BODY_TOO_LARGE',
    413,
    'client',
    false,
    'The request body is larger than the route allows',
  ),
  targetTooLong: define('TARGET_TOO_LONG', 414, 'client', false, 'The request target is too long'),
  misdirected: define(
    'MISDIRECTED',
    421,
    'client',
    true,
    'The connection is not for this host: it needs one with a client certificate',
  ),
  rateLimited: define('RATE_LIMITED', 429, 'client', true, 'Too many requests'),
  expectationFailed: define('EXPECTATION_FAILED', 417, 'client', false, 'Only 100-continue can be expected'),
  headersTooLarge: define('HEADERS_TOO_LARGE', 431, 'client', false, 'The request head is too large'),
  internal: define('INTERNAL', 500, 'gateway', true, 'The gateway failed'),
  codingNotImplemented: define(
    'CODING_NOT_IMPLEMENTED',
    501,
    'client',
    false,
    'The transfer coding is not supported',
  ),
  upgradeNotImplemented: define(
    'UPGRADE_NOT_IMPLEMENTED',
    501,
    'client',
    false,
    'Only WebSocket upgrades are supported',
  ),
  upstreamConnect: define('UPSTREAM_CONNECT', 502, 'origin', true, 'The origin could not be reached'),
  upstreamTls: define(
    'UPSTREAM_TLS',
    502,
    'origin',
    true,
    'No trusted connection to the origin could be made',
  ),
  upstreamReset: define(
    'UPSTREAM_RESET',
    502,
    'origin',
    true,
    'The origin closed the connection before answering',
  ),
  upstreamProtocol: define(
    'UPSTREAM_PROTOCOL',
    502,
    'origin',
    true,
    'The origin answered with something that is not HTTP',
  ),
  noDestination: define('NO_DESTINATION', 503, 'gateway', true, 'No destination is available'),
  upstreamOverloaded: define(
    'UPSTREAM_OVERLOADED',
    503,
    'gateway',
    true,
    'Too many requests wait for the origin',
  ),
  keysUnavailable: define(
    'KEYS_UNAVAILABLE',
    503,
    'gateway',
    true,
    'The keys to verify credentials with are not available',
  ),
  routeOverloaded: define(
    'ROUTE_OVERLOADED',
    503,
    'gateway',
    true,
    'Too many requests of the route are under way',
  ),
  clusterOverloaded: define(
    'CLUSTER_OVERLOADED',
    503,
    'gateway',
    true,
    'Too many requests to the cluster are under way',
  ),
  overloaded: define('OVERLOADED', 503, 'gateway', true, 'The gateway is overloaded'),
  upstreamForbidden: define(
    'UPSTREAM_FORBIDDEN',
    502,
    'origin',
    false,
    'The address of the origin is not allowed',
  ),
  draining: define('DRAINING', 503, 'gateway', true, 'The gateway is shutting down'),
  upstreamConnectTimeout: define(
    'UPSTREAM_CONNECT_TIMEOUT',
    504,
    'origin',
    true,
    'Connecting to the origin took too long',
  ),
  upstreamTimeout: define('UPSTREAM_TIMEOUT', 504, 'origin', true, 'The origin took too long to answer'),
  versionNotSupported: define(
    'VERSION_NOT_SUPPORTED',
    505,
    'client',
    false,
    'Only HTTP/1.0 and HTTP/1.1 are supported',
  ),
  // Those of the management API.
  invalidRequest: define('INVALID_REQUEST', 400, 'client', false, 'The request is not what the API takes'),
  unauthorized: define('UNAUTHORIZED', 401, 'client', false, 'A valid token is needed'),
  forbidden: define('FORBIDDEN', 403, 'client', false, 'The role of the token does not allow this'),
  certificateNeeded: define(
    'CERTIFICATE_NEEDED',
    403,
    'client',
    false,
    'A valid client certificate is needed',
  ),
  notFound: define('NOT_FOUND', 404, 'client', false, 'There is no such thing'),
  readOnly: define('READ_ONLY', 409, 'client', false, 'The configuration cannot be changed here'),
  revisionConflict: define(
    'REVISION_CONFLICT',
    412,
    'client',
    false,
    'The configuration is not at the expected revision',
  ),
  preconditionFailed: define(
    'PRECONDITION_FAILED',
    412,
    'client',
    false,
    'The entry is there, or is not there, against the condition',
  ),
  unsupportedMediaType: define('UNSUPPORTED_MEDIA_TYPE', 415, 'client', false, 'The body must be JSON'),
  invalidConfiguration: define(
    'INVALID_CONFIGURATION',
    422,
    'client',
    false,
    'The configuration would not be valid',
  ),
  tooManyAttempts: define('TOO_MANY_ATTEMPTS', 429, 'client', true, 'Too many failed attempts'),
  tooManyStreams: define('TOO_MANY_STREAMS', 503, 'gateway', true, 'Too many event streams are open'),
  busy: define('BUSY', 503, 'gateway', true, 'Too many costly requests wait'),
  storeUnavailable: define('STORE_UNAVAILABLE', 503, 'gateway', true, 'The store cannot be used now'),
  notReady: define('NOT_READY', 503, 'gateway', true, 'The gateway is not up yet'),
  // The three below are logged and counted, never answered: there is nobody to answer, or the head is out.
  clientAborted: define('CLIENT_ABORTED', 499, 'client', true, 'The client went away'),
  clientTimeout: define('CLIENT_TIMEOUT', 499, 'client', true, 'The client stopped sending or reading'),
  upstreamBody: define('UPSTREAM_BODY', 502, 'origin', true, 'The origin broke off within the body'),
} as const satisfies Record<string, ErrorDefinition>;
