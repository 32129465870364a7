/** Every metric that the gateway exposes: its name, what it says, its labels. */

type MetricType = 'counter' | 'gauge' | 'histogram';

export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly labels: readonly string[];
}

function define(name: string, type: MetricType, labels: readonly string[], help: string): MetricDefinition {
  return { name: `gateway_${name}`, help, type, labels };
}

const ROUTE = ['route', 'cluster'] as const;

export const METRICS = {
  requests: define(
    'requests_total',
    'counter',
    [...ROUTE, 'status'],
    'Requests answered, by route, cluster and status (route is empty where none matched)',
  ),
  requestDuration: define(
    'request_duration_seconds',
    'histogram',
    ROUTE,
    'From the head of the request to the last byte of the answer',
  ),
  requestsInFlight: define('requests_in_flight', 'gauge', ROUTE, 'Requests under way'),
  upstreamErrors: define(
    'upstream_errors_total',
    'counter',
    [...ROUTE, 'code'],
    'Failed attempts at origins, by error code',
  ),
  retries: define('retries_total', 'counter', ROUTE, 'Attempts beyond the first'),
  rateLimited: define(
    'rate_limited_total',
    'counter',
    ROUTE,
    'Requests refused by the rate limits of the route',
  ),
  workers: define('workers', 'gauge', ['state'], 'Worker processes, by state'),
  workerRestarts: define(
    'worker_restarts_total',
    'counter',
    ['reason'],
    'Workers replaced: died, hung, rejected, rolling',
  ),
  workerRevision: define(
    'worker_configuration_revision',
    'gauge',
    ['worker'],
    'Revision of the configuration that the worker serves',
  ),
  workerConnections: define('worker_connections', 'gauge', ['worker'], 'Client connections open'),
  workerWebSockets: define('worker_websockets', 'gauge', ['worker'], 'WebSockets open'),
  workerLag: define(
    'worker_event_loop_lag_seconds',
    'gauge',
    ['worker', 'statistic'],
    'Event loop lag since the last sample, taken every 5 s and at a scrape: mean, p99, max',
  ),
  workerResident: define('worker_resident_memory_bytes', 'gauge', ['worker'], 'Resident memory'),
  workerCpu: define(
    'worker_cpu_seconds',
    'gauge',
    ['worker'],
    'CPU time used by the process, user and system',
  ),
  tlsHandshakes: define(
    'tls_handshakes_total',
    'counter',
    ['result'],
    'TLS handshakes with clients: full, resumed, or why they failed',
  ),
  connectionsRefused: define(
    'connections_refused_total',
    'counter',
    [],
    'Client connections that were one too many, in all or of one address',
  ),
  connectionsDropped: define(
    'connections_dropped_total',
    'counter',
    [],
    'Client connections that no worker took in time',
  ),
  configurationRevision: define(
    'configuration_revision',
    'gauge',
    [],
    'Revision of the configuration that this instance holds',
  ),
  configurationChanges: define(
    'configuration_changes_total',
    'counter',
    ['result'],
    'Configurations offered by the store: applied, refused',
  ),
  configurationRefused: define(
    'configuration_refused',
    'gauge',
    [],
    '1 while the newest configuration of the store is refused',
  ),
  configurationDegraded: define(
    'configuration_degraded',
    'gauge',
    [],
    '1 while what is served may not be what the store holds: it is out of reach, empty, or its newest refused',
  ),
  configurationStepBacks: define(
    'configuration_step_backs_total',
    'counter',
    [],
    'Times that the store came back with an older or another history, which was then taken',
  ),
  storeReachable: define('store_reachable', 'gauge', [], '1 while the store answers'),
  storeProblem: define(
    'store_problem',
    'gauge',
    [],
    '1 while the store is out of reach, read-only, out of memory or refuses to work for another reason',
  ),
  lastGoodUnsaved: define(
    'last_good_configuration_unsaved',
    'gauge',
    [],
    '1 while the configuration cannot be saved to the state directory',
  ),
  materials: define(
    'materials',
    'gauge',
    ['state'],
    'Keys, secrets and certificates that the configuration needs: current, stale (the former one is in use), missing or of no use',
  ),
  certificateExpiry: define(
    'certificate_expiry_timestamp_seconds',
    'gauge',
    ['kind', 'id'],
    'When a certificate expires, in Unix time: of a host of the listener, of a cluster for its origins, of --admin',
  ),
  destinationsUnhealthy: define(
    'destinations_unhealthy',
    'gauge',
    [],
    'Destinations that the console reported as unhealthy',
  ),
} as const satisfies Record<string, MetricDefinition>;
