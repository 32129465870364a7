/**
 * The configuration document: one schema, from which the types, the validation and the published
 * JSON Schema come. Times are milliseconds, sizes are bytes, and both say so in their names.
 */
import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

/** Ids are used in log lines, metric labels and URLs of the management API, so they stay plain. */
export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';

/** A token of RFC 9110 §5.6.2: what header names, methods and cookie names are made of. */
export const TOKEN_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
/** A field value without CR, LF, NUL or other controls (RFC 9110 §5.5). */
export const FIELD_VALUE_PATTERN = '^[\\t\\x20-\\x7e\\x80-\\xff]*$';
/** A path, as rewrites take it; what else it must be is checked after the schema. */
export const PATH_PATTERN = '^/';

const fieldName = Type.String({ pattern: TOKEN_PATTERN, maxLength: 256, description: 'Name of a header' });
const fieldValue = Type.String({ pattern: FIELD_VALUE_PATTERN, maxLength: 8192 });
const durationMs = (description: string) => Type.Integer({ minimum: 1, maximum: 86_400_000, description });
const record = <T extends Type.TSchema>(value: T, description: string) =>
  Type.Record(Type.String({ pattern: ID_PATTERN }), value, { ...closed, description });

export const LOAD_BALANCING_POLICIES = [
  'powerOfTwoChoices',
  'roundRobin',
  'weightedRoundRobin',
  'random',
  'leastRequests',
  'consistentHash',
  'peakEwma',
] as const;

const hashSchema = Type.Object(
  {
    source: Type.Enum(['header', 'cookie', 'query', 'clientIp'], {
      description: 'What the hash is taken of',
    }),
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'Name of the header, cookie or query parameter',
      }),
    ),
    loadBound: Type.Optional(
      Type.Number({
        minimum: 1.01,
        maximum: 10,
        description: 'A destination takes at most this times the mean load (default 1.25)',
      }),
    ),
  },
  { ...closed, description: 'What consistentHash takes the hash of' },
);

const loadBalancingSchema = Type.Object(
  {
    policy: Type.Enum([...LOAD_BALANCING_POLICIES], { description: 'How a destination is chosen' }),
    hash: Type.Optional(hashSchema),
    panicThresholdPercent: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description:
          'With fewer healthy destinations than this share, all are used (default 50; 0 switches it off)',
      }),
    ),
  },
  { ...closed, description: 'How requests are spread (default powerOfTwoChoices)' },
);

const destinationSchema = Type.Object(
  {
    url: Type.String({
      maxLength: 2048,
      description: 'Base URL: http or https, host, port, and a path to prepend if any',
    }),
    weight: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: 'Share of the load (default 1)' }),
    ),
  },
  { ...closed, description: 'One server of the cluster' },
);

const timeoutsSchema = Type.Object(
  {
    connectMs: Type.Optional(durationMs('Until the connection stands, TLS included (default 2000)')),
    headersMs: Type.Optional(
      durationMs('From the request sent until the head of the response (default 30000)'),
    ),
    idleMs: Type.Optional(
      durationMs('Longest silence within a body or a WebSocket, either way (default 60000)'),
    ),
  },
  { ...closed, description: 'How long the gateway waits for a destination' },
);

const RETRY_CONDITIONS = ['connect', 'reset', 'timeout'] as const;

const retrySchema = Type.Object(
  {
    attempts: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10, description: 'Tries in all, the first included (default 2)' }),
    ),
    on: Type.Optional(
      Type.Array(
        Type.Union([Type.Enum([...RETRY_CONDITIONS]), Type.Integer({ minimum: 500, maximum: 599 })]),
        {
          description:
            'What is tried again: connect, reset, timeout, or a status code 5xx (default connect, reset)',
          maxItems: 103,
        },
      ),
    ),
  },
  { ...closed, description: 'What is tried again, and how often; idempotent requests only' },
);

const poolSchema = Type.Object(
  {
    maxConnections: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        description: 'Connections to one destination from one worker (default 256)',
      }),
    ),
    maxQueued: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description: 'Requests that may wait for a connection (default 1024); more get 503',
      }),
    ),
    idleMs: Type.Optional(durationMs('An unused connection is closed after this (default 4000)')),
  },
  { ...closed, description: 'Connections to one destination' },
);

export const clusterSchema = Type.Object(
  {
    loadBalancing: Type.Optional(loadBalancingSchema),
    destinations: record(destinationSchema, 'The servers of the cluster, by id'),
    timeouts: Type.Optional(timeoutsSchema),
    retry: Type.Optional(retrySchema),
    pool: Type.Optional(poolSchema),
  },
  { ...closed, description: 'A group of destinations that serve the same thing' },
);

const PREDICATE_MODES = ['exact', 'prefix', 'contains', 'exists', 'notExists'] as const;

const predicate = (name: Type.TString) =>
  Type.Object(
    {
      name,
      values: Type.Optional(
        Type.Array(Type.String({ maxLength: 4096 }), {
          minItems: 1,
          maxItems: 100,
          description: 'Any of them; not with exists and notExists',
        }),
      ),
      mode: Type.Optional(
        Type.Enum([...PREDICATE_MODES], { description: 'How the values are compared (default exact)' }),
      ),
    },
    closed,
  );

const matchSchema = Type.Object(
  {
    hosts: Type.Optional(
      Type.Array(Type.String({ maxLength: 253 }), {
        minItems: 1,
        maxItems: 1000,
        description: 'api.example.com or *.example.com; none: any host',
      }),
    ),
    path: Type.Optional(
      Type.String({
        maxLength: 2048,
        description: 'Template: {name} is one segment, {**name} the rest, also none; no path: any',
      }),
    ),
    methods: Type.Optional(
      Type.Array(Type.String({ pattern: TOKEN_PATTERN, maxLength: 32 }), {
        minItems: 1,
        maxItems: 50,
        description: 'Any of them; none: any method',
      }),
    ),
    headers: Type.Optional(
      Type.Array(predicate(fieldName), {
        minItems: 1,
        maxItems: 50,
        description: 'All of them must hold for the headers of the request',
      }),
    ),
    query: Type.Optional(
      Type.Array(
        predicate(Type.String({ minLength: 1, maxLength: 256, description: 'Name of a query parameter' })),
        {
          minItems: 1,
          maxItems: 50,
          description: 'All of them must hold for the query of the request',
        },
      ),
    ),
  },
  { ...closed, description: 'Which requests the route takes: all that is given must hold' },
);

const rewriteSchema = Type.Object(
  {
    removePrefix: Type.Optional(
      Type.String({
        pattern: PATH_PATTERN,
        maxLength: 2048,
        description: 'Taken off the front of the path, where whole segments match',
      }),
    ),
    addPrefix: Type.Optional(
      Type.String({
        pattern: PATH_PATTERN,
        maxLength: 2048,
        description: 'After removePrefix, where both are given',
      }),
    ),
    set: Type.Optional(
      Type.String({ pattern: PATH_PATTERN, maxLength: 2048, description: 'The whole path' }),
    ),
    pattern: Type.Optional(
      Type.String({
        pattern: PATH_PATTERN,
        maxLength: 2048,
        description: 'A path with {name} and {**name} of the match',
      }),
    ),
  },
  { ...closed, description: 'How the path changes on its way to the destination' },
);

const headerMap = (description: string) => Type.Record(fieldName, fieldValue, { ...closed, description });
const headerTransform = (description: string) =>
  Type.Object(
    {
      set: Type.Optional(headerMap('Replaces the header, or adds it')),
      append: Type.Optional(headerMap('Adds another value to the header')),
      remove: Type.Optional(Type.Array(fieldName, { maxItems: 100, description: 'Headers to take off' })),
    },
    { ...closed, description },
  );

const limitsSchema = Type.Object(
  {
    maxBodyBytes: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Larger request bodies get 413 (default: no limit)',
      }),
    ),
  },
  { ...closed, description: 'What a request may cost' },
);

export const routeSchema = Type.Object(
  {
    match: matchSchema,
    order: Type.Optional(
      Type.Integer({ minimum: -1_000_000, maximum: 1_000_000, description: 'Lower wins (default 0)' }),
    ),
    cluster: Type.String({ pattern: ID_PATTERN, description: 'Id of the cluster that serves the route' }),
    rewrite: Type.Optional(rewriteSchema),
    requestHeaders: Type.Optional(
      headerTransform('Changes to the headers of the request, on the way to the destination'),
    ),
    responseHeaders: Type.Optional(
      headerTransform('Changes to the headers of the response, on the way to the client'),
    ),
    limits: Type.Optional(limitsSchema),
    preserveHost: Type.Optional(
      Type.Boolean({ description: "Send the client's Host instead of the destination's (default false)" }),
    ),
    allowEncodedSlash: Type.Optional(
      Type.Boolean({ description: 'Accept %2F in the path, as a part of a segment (default false)' }),
    ),
  },
  { ...closed, description: 'Which requests go to which cluster, and what is changed on the way' },
);

export const configurationSchema = Type.Object(
  {
    clusters: Type.Optional(record(clusterSchema, 'Clusters, by id')),
    routes: Type.Optional(record(routeSchema, 'Routes, by id')),
  },
  { ...closed, description: 'Configuration of Fengling Gateway' },
);

export type Cluster = Static<typeof clusterSchema>;
export type Destination = Static<typeof destinationSchema>;
export type LoadBalancing = Static<typeof loadBalancingSchema>;
export type LoadBalancingPolicyName = (typeof LOAD_BALANCING_POLICIES)[number];
export type HashKey = Static<typeof hashSchema>;
export type Route = Static<typeof routeSchema>;
export type RouteMatch = Static<typeof matchSchema>;
export type RoutePredicate = NonNullable<RouteMatch['headers']>[number];
export type Rewrite = Static<typeof rewriteSchema>;
export type HeaderTransform = Static<ReturnType<typeof headerTransform>>;
export type RetryCondition = (typeof RETRY_CONDITIONS)[number];
/** What a user writes: every part is optional. */
export type ConfigurationDocument = Static<typeof configurationSchema>;

/** The kinds of entries that a configuration holds, in the order in which they are applied. */
export const KINDS = ['cluster', 'route'] as const;
export type Kind = (typeof KINDS)[number];
/** The value of an entry, by its kind. */
export interface KindValues {
  cluster: Cluster;
  route: Route;
}

/**
 * A validated configuration as the gateway holds it. Maps, not objects: an id is data and must never
 * meet a prototype.
 */
export interface Configuration {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly routes: ReadonlyMap<string, Route>;
}

/** Where the entries of a kind are, in a configuration and in a document. */
export const COLLECTIONS = { cluster: 'clusters', route: 'routes' } as const satisfies Record<
  Kind,
  keyof Configuration
>;

export const DEFAULT_TIMEOUTS = { connectMs: 2_000, headersMs: 30_000, idleMs: 60_000 } as const;
export const DEFAULT_RETRY: { readonly attempts: number; readonly on: readonly (RetryCondition | number)[] } =
  {
    attempts: 2,
    on: ['connect', 'reset'],
  };
export const DEFAULT_POOL = { maxConnections: 256, maxQueued: 1_024, idleMs: 4_000 } as const;
export const DEFAULT_PANIC_THRESHOLD_PERCENT = 50;
export const DEFAULT_LOAD_BOUND = 1.25;
