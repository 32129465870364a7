/** The schema of an issuer of JWTs. */
import Type from 'typebox';
import { claimName } from './auth-schema.ts';
import { closed, fieldName, fileName, listOf, variableName } from './schema-parts.ts';

/** RFC 7518 §3.1 and RFC 8037. There is no `none`. */
export const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'HS256',
  'HS384',
  'HS512',
] as const;

const keySetSchema = Type.Object(
  {
    keys: listOf(Type.Record(Type.String(), Type.Unknown()), 100, 'JSON Web Keys: public ones (RFC 7517)'),
  },
  { additionalProperties: true, description: 'A JSON Web Key Set' },
);

export const issuerSchema = Type.Object(
  {
    issuer: Type.String({ minLength: 1, maxLength: 2048, description: 'What the claim iss must be' }),
    audience: listOf(
      Type.String({ minLength: 1, maxLength: 2048 }),
      100,
      'The claim aud must be or hold one of them',
    ),
    algorithms: listOf(Type.Enum([...JWT_ALGORITHMS]), JWT_ALGORITHMS.length, 'Others are refused'),
    jwks: Type.Optional(keySetSchema),
    jwksFile: Type.Optional(fileName('a JSON Web Key Set; read again when it changes')),
    jwksUrl: Type.Optional(
      Type.String({
        maxLength: 2048,
        description:
          'Where the JSON Web Key Set is fetched; without https, whoever is in between can put in their own',
      }),
    ),
    secretEnv: Type.Optional(variableName('the secret of HS256 to HS512')),
    secretFile: Type.Optional(fileName('the secret of HS256 to HS512')),
    clockToleranceSec: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 300,
        description: "How far the issuer's clock may be off (default 30)",
      }),
    ),
    keyGraceSec: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: 2_592_000,
        description: 'How long fetched keys are used while jwksUrl cannot be reached (default 86400)',
      }),
    ),
    scopeClaim: Type.Optional(claimName),
    roleClaim: Type.Optional(claimName),
    claimHeaders: Type.Optional(
      Type.Record(fieldName, claimName, {
        ...closed,
        description: 'Headers that the origin gets, each from a claim; no client can send them, on any route',
      }),
    ),
  },
  { ...closed, description: 'Who signs JWTs, and how they are verified' },
);
