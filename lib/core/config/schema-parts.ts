/** What the schemas of all kinds of entries are made of. Times and sizes have their units in their names. */
import Type from 'typebox';

export const closed = { additionalProperties: false } as const;

/** Ids are used in log lines, metric labels and URLs of the management API, so they stay plain. */
export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';
/** The id of a certificate is the host name that it is for, as SNI names it; `default` is a name like any other. */
export const CERTIFICATE_ID_PATTERN = '^(\\*\\.)?[a-z0-9][a-z0-9.-]{0,250}$';

/** A token of RFC 9110 §5.6.2: what header names, methods and cookie names are made of. */
export const TOKEN_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
/** A field value without CR, LF, NUL or other controls (RFC 9110 §5.5). */
export const FIELD_VALUE_PATTERN = '^[\\t\\x20-\\x7e\\x80-\\xff]*$';
/** A path, as rewrites take it; what else it must be is checked after the schema. */
export const PATH_PATTERN = '^/';
/** A path on one line: whoever gives the content of a file instead, such as a private key, is told so and not quoted. */
export const FILE_NAME_PATTERN = '^[^\\x00-\\x1f\\x7f]+$';
/** The name of an environment variable; the gateway's own settings are none of the configuration's business. */
export const VARIABLE_PATTERN = '^(?!GATEWAY_|FENGLING_)[A-Za-z_][A-Za-z0-9_]{0,255}$';

export const idOf = (what: string) => Type.String({ pattern: ID_PATTERN, description: `Id of ${what}` });
export const fieldName = Type.String({
  pattern: TOKEN_PATTERN,
  maxLength: 256,
  description: 'Name of a header',
});
export const fieldValue = Type.String({ pattern: FIELD_VALUE_PATTERN, maxLength: 8192 });
export const durationMs = (description: string) =>
  Type.Integer({ minimum: 1, maximum: 86_400_000, description });
export const fileName = (description: string) =>
  Type.String({ pattern: FILE_NAME_PATTERN, maxLength: 4096, description: `File with ${description}` });
export const variableName = (description: string) =>
  Type.String({ pattern: VARIABLE_PATTERN, description: `Environment variable with ${description}` });
export const record = <T extends Type.TSchema>(value: T, description: string) =>
  Type.Record(Type.String({ pattern: ID_PATTERN }), value, { ...closed, description });
export const listOf = <T extends Type.TSchema>(item: T, maxItems: number, description: string) =>
  Type.Array(item, { minItems: 1, maxItems, description });

/** How many requests may be under way, and how many more may wait: of a route, or of a cluster. */
export const concurrencyFields = {
  maxConcurrent: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description:
        'Requests under way in one instance, divided among its workers; more get 503 (default: no limit)',
    }),
  ),
  maxWaiting: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      description: 'Requests of one instance that may wait for their turn instead of getting 503 (default 0)',
    }),
  ),
  maxWaitMs: Type.Optional(durationMs('How long one may wait for its turn (default 1000)')),
};
