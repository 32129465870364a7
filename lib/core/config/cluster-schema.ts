/** The schema of a cluster. */
import Type from 'typebox';
import { closed, concurrencyFields, durationMs, fileName, record, variableName } from './schema-parts.ts';

export const LOAD_BALANCING_POLICIES = [
  'powerOfTwoChoices',
  'roundRobin',
  'weightedRoundRobin',
  'random',
  'leastRequests',
  'consistentHash',
  'peakEwma',
] as const;

export const hashSchema = Type.Object(
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

export const loadBalancingSchema = Type.Object(
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

export const destinationSchema = Type.Object(
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

export const RETRY_CONDITIONS = ['connect', 'reset', 'timeout'] as const;

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

export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

const originTlsSchema = Type.Object(
  {
    caFile: Type.Optional(
      fileName('the certificate authorities that are trusted, in PEM (default: the list of Node.js)'),
    ),
    caEnv: Type.Optional(variableName('the certificate authorities that are trusted, in PEM')),
    certFile: Type.Optional(fileName("the gateway's own certificate and its chain, in PEM")),
    certEnv: Type.Optional(variableName("the gateway's own certificate and its chain, in PEM")),
    keyFile: Type.Optional(fileName('the private key of that certificate, in PEM')),
    keyEnv: Type.Optional(variableName('the private key of that certificate, in PEM')),
    serverName: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 253,
        description: 'Name that is asked for and verified (default: the host of the destination)',
      }),
    ),
    minVersion: Type.Optional(Type.Enum([...TLS_VERSIONS], { description: 'Default TLSv1.2' })),
    insecureSkipVerify: Type.Optional(
      Type.Boolean({
        description:
          'Accept any certificate: whoever is in between can read and change everything (default false)',
      }),
    ),
  },
  { ...closed, description: 'How https destinations are verified, and how the gateway shows who it is' },
);

const clusterLimitsSchema = Type.Object(concurrencyFields, {
  ...closed,
  description: 'How many requests the cluster takes at once',
});

export const HTTP_ENGINES = ['builtin', 'undici'] as const;

const httpSchema = Type.Object(
  {
    engine: Type.Optional(
      Type.Enum([...HTTP_ENGINES], {
        description: 'What speaks HTTP/1.1 to the destinations (default builtin); undici is the slower one',
      }),
    ),
  },
  { ...closed, description: 'How destinations are spoken to' },
);

export const clusterSchema = Type.Object(
  {
    loadBalancing: Type.Optional(loadBalancingSchema),
    destinations: record(destinationSchema, 'The servers of the cluster, by id'),
    timeouts: Type.Optional(timeoutsSchema),
    retry: Type.Optional(retrySchema),
    pool: Type.Optional(poolSchema),
    http: Type.Optional(httpSchema),
    tls: Type.Optional(originTlsSchema),
    limits: Type.Optional(clusterLimitsSchema),
  },
  { ...closed, description: 'A group of destinations that serve the same thing' },
);
