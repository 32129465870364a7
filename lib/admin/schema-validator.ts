/** Checks queries, path parameters and small bodies, and names every problem in the words of the validation. */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { formatProblem, type Problem } from '../core/config/problem.ts';
import { ProblemList } from '../core/config/problem-list.ts';
import type { SchemaNode } from '../core/config/schema-node.ts';
import { reportSchemaProblems } from '../core/config/schema-problems.ts';
import { ERRORS } from '../core/errors.ts';
import { ControlError } from './control-plane.ts';

type Part = 'body' | 'query' | 'path';

/** A check of a value against a schema. @throws ControlError from the check */
export function compileCheck(schema: TSchema, part: Part): (value: unknown) => void {
  const validator = Compile(schema);
  return (value) => {
    if (validator.Check(value)) return;
    const problems = new ProblemList();
    reportSchemaProblems(schema as SchemaNode, value, '', problems);
    if (problems.isEmpty) {
      // The compiled schema decides, even if the words for what it refuses were missing.
      for (const { instancePath, message } of validator.Errors(value)) problems.add(instancePath, message);
    }
    throw schemaError(problems.toArray(), part);
  };
}

function schemaError(problems: readonly Problem[], part: Part): ControlError {
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
  return Object.fromEntries(entries.map(([name, text]) => [name, readText(schema.properties?.[name], text)]));
}

function readText(schema: SchemaNode | undefined, text: unknown): unknown {
  if (typeof text !== 'string') return text;
  if (schema?.type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (schema?.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
