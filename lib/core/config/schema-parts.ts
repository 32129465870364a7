/** What the schemas of all kinds of entries are made of. Times and sizes have their units in their names. */
import Type from 'typebox';
import {
  FIELD_VALUE_PATTERN,
  FILE_NAME_PATTERN,
  ID_PATTERN,
  TOKEN_PATTERN,
  VARIABLE_PATTERN,
} from './patterns.ts';

export const closed = { additionalProperties: false } as const;

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
