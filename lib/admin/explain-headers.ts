/** The headers of a request that is to be explained, in each form in which they can be given. */
import { isPlainObject } from '../core/config/plain-data.ts';
import { childPointer, type Problem } from '../core/config/problem.ts';
import type { ExplainBody } from './explain-schemas.ts';
import { MAX_PROBLEMS, schemaError } from './schema-validator.ts';

type HeaderPair = readonly [name: string, value: string];

export function listHeaders(headers: NonNullable<ExplainBody['headers']>): HeaderPair[] {
  if (Array.isArray(headers)) return headers.map(([name = '', value = '']) => [name, value]);
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((single): HeaderPair => [name, single]),
  );
}

/**
 * Says which header cannot be used: of a choice between forms the schema only says that none of them fits.
 * @throws ControlError
 */
export function checkHeaders(body: unknown): void {
  if (!isPlainObject(body)) return;
  const { headers } = body;
  const problems = Array.isArray(headers)
    ? checkPairs(headers)
    : isPlainObject(headers)
      ? checkValues(headers)
      : [];
  if (problems.length > 0) throw schemaError(problems.slice(0, MAX_PROBLEMS), 'body');
}

function checkPairs(pairs: readonly unknown[]): readonly Problem[] {
  return pairs.flatMap((pair, index): readonly Problem[] => {
    const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string');
    return isPair
      ? []
      : [{ pointer: `/headers/${index}`, message: 'must be a list of a name and a value, both texts' }];
  });
}

function checkValues(headers: Readonly<Record<string, unknown>>): readonly Problem[] {
  return Object.entries(headers).flatMap(([name, value]): readonly Problem[] => {
    const pointer = childPointer('/headers', name);
    if (!Array.isArray(value)) return checkText(value, pointer, 'must be a text, or a list of texts');
    return value.flatMap((single, index) =>
      checkText(single, childPointer(pointer, index), 'must be a text'),
    );
  });
}

function checkText(value: unknown, pointer: string, message: string): readonly Problem[] {
  if (typeof value === 'string') return [];
  const isScalar = typeof value === 'number' || typeof value === 'boolean';
  return [isScalar ? { pointer, message, hint: `write it in quotes: "${value}"` } : { pointer, message }];
}
