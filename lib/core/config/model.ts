/**
 * The configuration as types, all of them made from its schemas, and what workers need to know of it without
 * those: they are given what was validated, and start sooner. Times are milliseconds, sizes are bytes, and both say
 * so in their names.
 */
import type { Static } from 'typebox';
import type { authSchema } from './auth-schema.ts';
import type { CLIENT_CERTIFICATE_FACTS, certificateSchema } from './certificate-schema.ts';
import type {
  clusterSchema,
  destinationSchema,
  HTTP_ENGINES,
  hashSchema,
  LOAD_BALANCING_POLICIES,
  loadBalancingSchema,
  RETRY_CONDITIONS,
} from './cluster-schema.ts';
import type { configurationSchema } from './configuration-schema.ts';
import type { consumerSchema } from './consumer-schema.ts';
import type { issuerSchema, JWT_ALGORITHMS } from './issuer-schema.ts';
import { CERTIFICATE_ID_PATTERN, ID_PATTERN } from './patterns.ts';
import type { clientAddressesSchema, corsSchema, httpsSchema, rateLimitsSchema } from './policy-schemas.ts';
import type { headerTransform, matchSchema, rewriteSchema, routeSchema } from './route-schema.ts';

export type Issuer = Static<typeof issuerSchema>;
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];
export type Consumer = Static<typeof consumerSchema>;
export type Certificate = Static<typeof certificateSchema>;
export type ClientCertificate = NonNullable<Certificate['clientCertificate']>;
export type ClientCertificateFact = (typeof CLIENT_CERTIFICATE_FACTS)[number];
export type Cluster = Static<typeof clusterSchema>;
export type Destination = Static<typeof destinationSchema>;
export type LoadBalancing = Static<typeof loadBalancingSchema>;
export type LoadBalancingPolicyName = (typeof LOAD_BALANCING_POLICIES)[number];
export type HashKey = Static<typeof hashSchema>;
export type Route = Static<typeof routeSchema>;
export type RouteAuth = Static<typeof authSchema>;
export type ClientAddresses = Static<typeof clientAddressesSchema>;
export type Cors = Static<typeof corsSchema>;
export type RateLimit = Static<typeof rateLimitsSchema>[number];
export type HttpsPolicy = Static<typeof httpsSchema>;
export type OriginTls = NonNullable<Cluster['tls']>;
export type RouteMatch = Static<typeof matchSchema>;
export type RoutePredicate = NonNullable<RouteMatch['headers']>[number];
export type Rewrite = Static<typeof rewriteSchema>;
export type HeaderTransform = Static<ReturnType<typeof headerTransform>>;
export type RetryCondition = (typeof RETRY_CONDITIONS)[number];
export type HttpEngine = (typeof HTTP_ENGINES)[number];
/** What a user writes: every part is optional. */
export type ConfigurationDocument = Static<typeof configurationSchema>;

/** The kinds of entries that a configuration holds, in the order in which they are applied: routes name the others. */
export const KINDS = ['cluster', 'issuer', 'consumer', 'certificate', 'route'] as const;
export type Kind = (typeof KINDS)[number];
/** The value of an entry, by its kind. */
export interface KindValues {
  cluster: Cluster;
  issuer: Issuer;
  consumer: Consumer;
  certificate: Certificate;
  route: Route;
}

/**
 * A validated configuration as the gateway holds it. Maps, not objects: an id is data and must never
 * meet a prototype.
 */
export interface Configuration {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly issuers: ReadonlyMap<string, Issuer>;
  readonly consumers: ReadonlyMap<string, Consumer>;
  readonly certificates: ReadonlyMap<string, Certificate>;
  readonly routes: ReadonlyMap<string, Route>;
}

/** Where the entries of a kind are, in a configuration and in a document. */
export const COLLECTIONS = {
  cluster: 'clusters',
  issuer: 'issuers',
  consumer: 'consumers',
  certificate: 'certificates',
  route: 'routes',
} as const satisfies Record<Kind, keyof Configuration>;

/** What the ids of a kind look like. */
export function idPatternOf(kind: Kind): string {
  return kind === 'certificate' ? CERTIFICATE_ID_PATTERN : ID_PATTERN;
}

export const DEFAULT_TIMEOUTS = { connectMs: 2_000, headersMs: 30_000, idleMs: 60_000 } as const;
export const DEFAULT_RETRY: { readonly attempts: number; readonly on: readonly (RetryCondition | number)[] } =
  {
    attempts: 2,
    on: ['connect', 'reset'],
  };
export const DEFAULT_POOL = { maxConnections: 256, maxQueued: 1_024, idleMs: 4_000 } as const;
export const DEFAULT_HTTP_ENGINE: HttpEngine = 'builtin';
export const DEFAULT_PANIC_THRESHOLD_PERCENT = 50;
export const DEFAULT_LOAD_BOUND = 1.25;
