/** The schema of a route; its policies have files of their own. */
import Type from 'typebox';
import { authSchema } from './auth-schema.ts';
import { ID_PATTERN, PATH_PATTERN, TOKEN_PATTERN } from './patterns.ts';
import { clientAddressesSchema, corsSchema, httpsSchema, rateLimitsSchema } from './policy-schemas.ts';
import { closed, concurrencyFields, fieldName, fieldValue } from './schema-parts.ts';

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

export const matchSchema = Type.Object(
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

export const rewriteSchema = Type.Object(
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
export const headerTransform = (description: string) =>
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
    ...concurrencyFields,
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
    auth: Type.Optional(authSchema),
    clientAddresses: Type.Optional(clientAddressesSchema),
    cors: Type.Optional(corsSchema),
    rateLimits: Type.Optional(rateLimitsSchema),
    https: Type.Optional(httpsSchema),
    preserveHost: Type.Optional(
      Type.Boolean({ description: "Send the client's Host instead of the destination's (default false)" }),
    ),
    allowEncodedSlash: Type.Optional(
      Type.Boolean({ description: 'Accept %2F in the path, as a part of a segment (default false)' }),
    ),
  },
  { ...closed, description: 'Which requests go to which cluster, and what is changed on the way' },
);
