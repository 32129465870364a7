/** The schema of a route's `auth`: who may use it. */
import Type from 'typebox';
import { ID_PATTERN, TOKEN_PATTERN } from './patterns.ts';
import { closed, fieldName, idOf, listOf } from './schema-parts.ts';

const name = Type.String({ minLength: 1, maxLength: 256 });
const cookieName = Type.String({ pattern: TOKEN_PATTERN, maxLength: 256, description: 'Name of a cookie' });
const parameterName = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'Name of a query parameter',
});

const tokenFromSchema = Type.Object(
  { cookie: Type.Optional(cookieName), query: Type.Optional(parameterName) },
  {
    ...closed,
    description:
      'Where else a JWT is looked for when there is no Authorization: browsers cannot set it on WebSockets',
  },
);

const apiKeySchema = Type.Object(
  { header: Type.Optional(fieldName), query: Type.Optional(parameterName) },
  { ...closed, description: 'Accepts API keys of consumers (default: in the header x-api-key)' },
);

const basicSchema = Type.Object(
  {
    realm: Type.Optional(
      Type.String({
        pattern: '^[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]{1,128}$',
        description: 'What browsers show',
      }),
    ),
  },
  { ...closed, description: 'Accepts user names and passwords of consumers (RFC 7617)' },
);

export const CLAIM_PATTERN = '^[^\\x00-\\x1f\\x7f]{1,256}$';
/** A path of claims, such as `realm_access.roles`; a name with dots in it, such as a URL, is tried as a whole first. */
export const claimName = Type.String({
  pattern: CLAIM_PATTERN,
  description: 'Name of a claim, or a.path.of.names',
});

const claimValues = listOf(
  Type.Union([Type.String({ maxLength: 1024 }), Type.Number(), Type.Boolean()]),
  100,
  'Any of them: the claim is one, or a list that holds one',
);

export const authSchema = Type.Object(
  {
    issuers: Type.Optional(listOf(idOf('an issuer'), 16, 'Accepts JWTs of these')),
    tokenFrom: Type.Optional(tokenFromSchema),
    apiKey: Type.Optional(apiKeySchema),
    basic: Type.Optional(basicSchema),
    consumers: Type.Optional(
      listOf(
        Type.String({ pattern: ID_PATTERN, description: 'Id of a consumer' }),
        1_000,
        'Only these may come by API key or password (default: all)',
      ),
    ),
    scopes: Type.Optional(Type.Array(name, { maxItems: 100, description: 'All of them are needed' })),
    roles: Type.Optional(Type.Array(name, { maxItems: 100, description: 'Any of them is needed' })),
    claims: Type.Optional(
      Type.Record(claimName, claimValues, {
        ...closed,
        description: 'All of these claims are needed, each with any of its values; consumers have none',
      }),
    ),
    forwardToken: Type.Optional(
      Type.Boolean({ description: 'Pass the credential that decided on to the origin (default true)' }),
    ),
  },
  { ...closed, description: 'Who may use the route: whoever satisfies one of issuers, apiKey and basic' },
);
