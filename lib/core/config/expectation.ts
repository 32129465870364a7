/** What a schema asks for, in plain words: the object of a sentence that starts with "must be". */
import { CLAIM_PATTERN } from './auth-schema.ts';
import {
  API_KEY_HASH_PATTERN,
  CERTIFICATE_ID_PATTERN,
  FIELD_VALUE_PATTERN,
  FILE_NAME_PATTERN,
  ID_PATTERN,
  PASSWORD_HASH_PATTERN,
  PATH_PATTERN,
  TOKEN_PATTERN,
  VARIABLE_PATTERN,
} from './patterns.ts';
import type { SchemaNode } from './schema-node.ts';

const PATTERN_WORDS: ReadonlyMap<string, string> = new Map([
  [ID_PATTERN, "1 to 128 letters, digits, '.', '_' and '-', with a letter or digit first"],
  [TOKEN_PATTERN, "a name of letters, digits and !#$%&'*+-.^_`|~ without blanks"],
  [FIELD_VALUE_PATTERN, 'a header value on one line, without control characters'],
  [PATH_PATTERN, "a path that starts with '/'"],
  [CERTIFICATE_ID_PATTERN, 'a host name in lower case, such as api.example.com, *.example.com, or default'],
  [FILE_NAME_PATTERN, 'the path of a file, not what is in it'],
  [VARIABLE_PATTERN, 'the name of an environment variable that does not start with GATEWAY_ or FENGLING_'],
  [CLAIM_PATTERN, 'the name of a claim, 1 to 256 characters without controls'],
  [API_KEY_HASH_PATTERN, 'sha256: and 64 hexadecimal digits, as `gateway credential api-key` prints it'],
  [PASSWORD_HASH_PATTERN, 'a hash as `gateway credential password` prints it'],
]);

/** A noun phrase, such as "an integer from 1 to 10000". */
export function describeExpectation(schema: SchemaNode): string {
  if (schema.anyOf !== undefined) {
    return schema.anyOf.map(describeExpectation).join(', or ');
  }
  if (schema.enum !== undefined) {
    return schema.enum.length === 1 ? `${schema.enum[0]}` : `one of ${schema.enum.join(', ')}`;
  }
  switch (schema.type) {
    case 'object':
      return 'an object';
    case 'array':
      return 'a list';
    case 'string':
      return describeText(schema);
    case 'integer':
      return `an integer${describeRange(schema)}`;
    case 'number':
      return `a number${describeRange(schema)}`;
    case 'boolean':
      return 'true or false';
    default:
      return 'what the schema allows here';
  }
}

/** What a text must look like to match `pattern`. */
export function describePattern(pattern: string): string {
  return PATTERN_WORDS.get(pattern) ?? `a text that matches ${pattern}`;
}

function describeText({ pattern, minLength, maxLength }: SchemaNode): string {
  const text = pattern === undefined ? 'a text' : describePattern(pattern);
  if (maxLength === undefined) {
    return minLength === undefined ? text : `${text}, at least ${minLength} characters`;
  }
  return minLength === undefined
    ? `${text}, at most ${maxLength} characters`
    : `${text}, ${minLength} to ${maxLength} characters`;
}

function describeRange({ minimum, maximum }: SchemaNode): string {
  if (minimum !== undefined && maximum !== undefined) {
    return ` from ${minimum} to ${maximum}`;
  }
  if (minimum !== undefined) {
    return ` of at least ${minimum}`;
  }
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}
