/** The schema of a consumer: somebody who comes by API key or password. Only hashes are kept of either. */
import Type from 'typebox';
import { API_KEY_HASH_PATTERN, PASSWORD_HASH_PATTERN, USERNAME_PATTERN } from './patterns.ts';
import { closed, listOf } from './schema-parts.ts';

const apiKeySchema = Type.Object(
  {
    hash: Type.String({
      pattern: API_KEY_HASH_PATTERN,
      description: 'sha256: and the SHA-256 of the key in hexadecimal digits',
    }),
    note: Type.Optional(Type.String({ maxLength: 256, description: 'To tell it from others' })),
  },
  { ...closed, description: 'A key; several, so that one can replace another' },
);

const passwordSchema = Type.Object(
  {
    username: Type.String({
      pattern: USERNAME_PATTERN,
      description: 'Without colon (RFC 7617)',
    }),
    hash: Type.String({
      pattern: PASSWORD_HASH_PATTERN,
      description: 'As `gateway credential password` makes it',
    }),
  },
  { ...closed, description: 'A user name and a password' },
);

export const consumerSchema = Type.Object(
  {
    apiKeys: Type.Optional(listOf(apiKeySchema, 16, 'Keys of which any will do')),
    passwords: Type.Optional(listOf(passwordSchema, 16, 'User names of the consumer')),
    scopes: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        maxItems: 100,
        description: 'What it may',
      }),
    ),
    roles: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 100, description: 'What it is' }),
    ),
  },
  { ...closed, description: 'Somebody who comes by API key or password' },
);
