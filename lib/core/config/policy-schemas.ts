/** The schemas of a route's policies, but for `auth`. */
import Type from 'typebox';
import { ID_PATTERN, TOKEN_PATTERN } from './patterns.ts';
import { closed, fieldName, listOf } from './schema-parts.ts';

const addressRange = Type.String({
  minLength: 2,
  maxLength: 64,
  description: 'An address, or a CIDR range such as 10.0.0.0/8 or fd00::/8',
});

export const clientAddressesSchema = Type.Object(
  {
    allow: Type.Optional(listOf(addressRange, 10_000, 'Only these; others get 403')),
    deny: Type.Optional(listOf(addressRange, 10_000, 'These get 403, also where allow names them')),
  },
  { ...closed, description: "The client's address, as seen past trusted proxies" },
);

const methodName = Type.String({ pattern: TOKEN_PATTERN, maxLength: 32 });

export const corsSchema = Type.Object(
  {
    origins: listOf(
      Type.String({ minLength: 1, maxLength: 512 }),
      1_000,
      'https://app.example.com, https://*.example.com, or * for any',
    ),
    methods: Type.Optional(
      listOf(
        methodName,
        50,
        "Default: those of the route's match, or GET, HEAD, POST, PUT, PATCH and DELETE",
      ),
    ),
    headers: Type.Optional(
      Type.Array(fieldName, {
        maxItems: 100,
        description: 'Request headers that scripts may set (default: whichever they ask for)',
      }),
    ),
    exposeHeaders: Type.Optional(
      Type.Array(fieldName, { maxItems: 100, description: 'Response headers that scripts may read' }),
    ),
    credentials: Type.Optional(
      Type.Boolean({ description: 'Allow cookies and Authorization; not with * (default false)' }),
    ),
    maxAgeSec: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 86_400,
        description: 'How long browsers may remember a pre-flight (default 600)',
      }),
    ),
  },
  {
    ...closed,
    description: 'Which scripts of other origins may use the route; pre-flights are answered by the gateway',
  },
);

const RATE_LIMIT_SOURCES = ['route', 'clientIp', 'consumer', 'claim', 'header'] as const;

const rateLimitKeySchema = Type.Object(
  {
    source: Type.Enum([...RATE_LIMIT_SOURCES], {
      description:
        "route: all requests together; consumer: who authenticated; without a consumer, claim or header the client's address counts",
    }),
    name: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: 'Name of the claim or header' }),
    ),
  },
  { ...closed, description: 'What has a budget of its own (default: the whole route)' },
);

const rateLimitSchema = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        pattern: ID_PATTERN,
        description: 'Stands in RateLimit headers (default: its position)',
      }),
    ),
    requests: Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'So many requests …' }),
    perSec: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      description: '… in so many seconds, of the whole fleet',
    }),
    burst: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000_000,
        description: 'So many may come at once (default: requests)',
      }),
    ),
    key: Type.Optional(rateLimitKeySchema),
  },
  { ...closed, description: 'A token bucket' },
);

export const rateLimitsSchema = listOf(rateLimitSchema, 8, 'All of them must have room; else 429');

const hstsSchema = Type.Object(
  {
    maxAgeSec: Type.Integer({
      minimum: 0,
      maximum: 63_072_000,
      description: 'For so long only https is used',
    }),
    includeSubdomains: Type.Optional(
      Type.Boolean({ description: 'Also for all subdomains (default false)' }),
    ),
    preload: Type.Optional(Type.Boolean({ description: 'May be built into browsers (default false)' })),
  },
  { ...closed, description: 'Strict-Transport-Security (RFC 6797), on answers over https' },
);

export const httpsSchema = Type.Object(
  {
    redirect: Type.Optional(
      Type.Boolean({
        description: 'Requests over plain HTTP get 308 to the same URL over https (default false)',
      }),
    ),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: 'Where the redirect leads (default 443)' }),
    ),
    hsts: Type.Optional(hstsSchema),
  },
  { ...closed, description: 'What becomes of plain HTTP' },
);
