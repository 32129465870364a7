/** Checks queries, path parameters and small bodies, and names every problem in the words of the validation. */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/schema';
import { isForbiddenKey, isPlainObject } from '../core/config/plain-data.ts';
import { childPointer, formatProblem, type Problem } from '../core/config/problem.ts';
import { ProblemList } from '../core/config/problem-list.ts';
import type { SchemaNode } from '../core/config/schema-node.ts';
import { reportSchemaProblems } from '../core/config/schema-problems.ts';
import { ERRORS } from '../core/errors.ts';
import { ControlError } from './control-plane.ts';

export const MAX_PROBLEMS = 20;
const MAX_POINTER_LENGTH = 200;

type Part = 'body' | 'query' | 'path';

/** A check of a value against a schema. @throws ControlError from the check */
export function compileCheck(schema: TSchema, part: Part): (value: unknown) => void {
  const validator = Compile(schema);
  return (value) => {
    if (validator.Check(value)) return;
    const problems = new FirstProblems();
    try {
      reportForbiddenKeys(schema as SchemaNode, value, '', problems);
      reportSchemaProblems(schema as SchemaNode, value, '', problems);
      // The compiled schema decides, even if the words for what it refuses were missing.
      if (problems.isEmpty) problems.add('', 'is not what is expected here');
    } catch (error) {
      if (error !== ENOUGH) throw error;
    }
    throw schemaError(problems.toArray(), part);
  };
}

/** Names keys such as `constructor`, which the words of the schema pass over. Goes where the schema goes. */
function reportForbiddenKeys(
  { items, properties }: SchemaNode,
  value: unknown,
  pointer: string,
  problems: ProblemList,
): void {
  if (Array.isArray(value) && items !== undefined) {
    for (const [index, item] of value.entries()) {
      reportForbiddenKeys(items, item, childPointer(pointer, index), problems);
    }
  }
  if (!isPlainObject(value) || properties === undefined) return;
  for (const key of Object.keys(value)) {
    const below = childPointer(pointer, key);
    if (isForbiddenKey(key)) problems.add(below, `unknown key "${key}"`);
    else if (Object.hasOwn(properties, key))
      reportForbiddenKeys(properties[key]!, value[key], below, problems);
  }
}

const ENOUGH = Symbol('enough');

/** Ends the search after some problems: a body can hold a million, and nobody reads more. */
class FirstProblems extends ProblemList {
  #count = 0;

  override add(pointer: string, message: string, hint?: string): void {
    super.add(pointer, message, hint);
    this.#count += 1;
    if (this.#count === MAX_PROBLEMS) throw ENOUGH;
  }
}

/** Keys of the client are part of the pointer, and can be as long as a body. */
function shorten({ pointer, ...problem }: Problem): Problem {
  const isShort = pointer.length <= MAX_POINTER_LENGTH;
  return { pointer: isShort ? pointer : `${pointer.slice(0, MAX_POINTER_LENGTH)}…`, ...problem };
}

/** The refusal of a part of a request for the first of these problems. */
export function schemaError(found: readonly Problem[], part: Part): ControlError {
  const problems = found.map(shorten);
  const [first] = problems;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  const detail = first === undefined ? '' : ` ${formatProblem(first).replace('(document): ', '')}${more}`;
  return new ControlError(ERRORS.invalidRequest, `the ${part}:${detail}`, { problems });
}

function missingBody(): ControlError {
  return new ControlError(ERRORS.invalidRequest, 'the body is missing: send JSON');
}

const PARTS: Readonly<Record<string, Part>> = { body: 'body', querystring: 'query', params: 'path' };

/**
 * The framework's way to the checks. A body whose schema is a reference is not checked here: the control
 * plane does that, in slices and with the rules that no schema can express.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  if ('$ref' in schema) {
    // The framework says null where there is none.
    return (value: unknown) => (value === null ? { error: missingBody() } : { value });
  }
  // Fields are described for the readers of the API, and read by those who know more of them than a schema can.
  if (httpPart === 'headers') return (value: unknown) => ({ value });
  const part = PARTS[httpPart ?? ''] ?? 'body';
  const check = compileCheck(schema, part);
  return (input: unknown) => {
    const value = part === 'body' ? input : readTexts(schema as SchemaNode, input);
    try {
      check(value);
      return { value };
    } catch (error) {
      return { error: error as Error };
    }
  };
};

/** Queries and paths are all text: makes numbers and truth values of what the schema wants to be some. */
function readTexts(schema: SchemaNode, texts: unknown): unknown {
  const entries = Object.entries(texts as Record<string, unknown>);
  return Object.fromEntries(entries.map(([name, text]) => [name, readText(propertyOf(schema, name), text)]));
}

function propertyOf({ properties }: SchemaNode, name: string): SchemaNode | undefined {
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function readText(schema: SchemaNode | undefined, text: unknown): unknown {
  if (typeof text !== 'string') return text;
  if (schema?.type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (schema?.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
