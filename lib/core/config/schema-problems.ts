/** Says in plain words, place by place, why a value does not fit a schema. */
import { describeExpectation, describePattern } from './expectation.ts';
import { findNearestName } from './nearest-name.ts';
import { isForbiddenKey, isPlainObject } from './plain-data.ts';
import { childPointer } from './problem.ts';
import { ProblemList } from './problem-list.ts';
import { quoteText } from './quote-text.ts';
import { matchesPattern, type SchemaNode } from './schema-node.ts';

/**
 * Adds every problem of `value` to `problems`, none where it fits. Goes as deep as the schema does, never
 * as deep as the value. Forbidden keys are passed over: `checkPlainData` reports them.
 */
export function reportSchemaProblems(
  schema: SchemaNode,
  value: unknown,
  pointer: string,
  problems: ProblemList,
): void {
  if (schema.anyOf !== undefined || schema.enum !== undefined) {
    reportNoAlternative(schema, value, pointer, problems);
  } else if (schema.type === 'object') {
    reportObjectProblems(schema, value, pointer, problems);
  } else if (schema.type === 'array') {
    reportListProblems(schema, value, pointer, problems);
  } else if (!fitsScalar(schema, value)) {
    problems.add(pointer, `must be ${describeExpectation(schema)}`, hintForScalar(schema, value));
  }
}

/** One problem for the place, however many alternatives there are. */
function reportNoAlternative(
  schema: SchemaNode,
  value: unknown,
  pointer: string,
  problems: ProblemList,
): void {
  if (!fitsAlternative(schema, value)) {
    const nearest = typeof value === 'string' ? findNearestName(value, listAllowedTexts(schema)) : null;
    problems.add(
      pointer,
      `must be ${describeExpectation(schema)}`,
      nearest === null ? hintForWrongType(value) : `did you mean ${nearest}?`,
    );
  }
}

function fitsAlternative(schema: SchemaNode, value: unknown): boolean {
  if (schema.enum !== undefined) {
    return typeof value === 'string' && schema.enum.includes(value);
  }
  return (schema.anyOf ?? []).some((alternative) => {
    const problems = new ProblemList();
    reportSchemaProblems(alternative, value, '', problems);
    return problems.isEmpty;
  });
}

function listAllowedTexts(schema: SchemaNode): readonly string[] {
  return schema.enum ?? (schema.anyOf ?? []).flatMap(listAllowedTexts);
}

function reportObjectProblems(
  schema: SchemaNode,
  value: unknown,
  pointer: string,
  problems: ProblemList,
): void {
  if (!isPlainObject(value)) {
    const hint = value === null ? 'leave it out, or write {}' : undefined;
    problems.add(pointer, `must be ${describeExpectation(schema)}`, hint);
    return;
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name)) {
      problems.add(pointer, `"${name}" is missing`, schema.properties?.[name]?.description);
    }
  }
  for (const key of Object.keys(value)) {
    if (!isForbiddenKey(key)) {
      reportPropertyProblems(schema, key, value[key], childPointer(pointer, key), problems);
    }
  }
}

function reportPropertyProblems(
  schema: SchemaNode,
  key: string,
  value: unknown,
  pointer: string,
  problems: ProblemList,
): void {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) {
    reportSchemaProblems(schema.properties[key]!, value, pointer, problems);
    return;
  }
  for (const [pattern, valueSchema] of Object.entries(schema.patternProperties ?? {})) {
    if (!matchesPattern(pattern, key)) {
      problems.add(
        pointer,
        `the name ${quoteText(key)} is not allowed: it must be ${describePattern(pattern)}`,
      );
    }
    reportSchemaProblems(valueSchema, value, pointer, problems);
    return;
  }
  if (schema.additionalProperties !== true) {
    reportUnknownKey(Object.keys(schema.properties ?? {}), key, pointer, problems);
  }
}

function reportUnknownKey(
  knownKeys: readonly string[],
  key: string,
  pointer: string,
  problems: ProblemList,
): void {
  const nearest = findNearestName(key, knownKeys);
  const hint = nearest === null ? `known here: ${knownKeys.join(', ')}` : `did you mean ${nearest}?`;
  problems.add(pointer, `unknown key ${quoteText(key)}`, hint);
}

function reportListProblems(
  schema: SchemaNode,
  value: unknown,
  pointer: string,
  problems: ProblemList,
): void {
  if (!Array.isArray(value)) {
    // In place of a list of objects a text may be anything, such as the API key itself: it is not repeated.
    const isItem = typeof value === 'string' && schema.items?.type !== 'object';
    const hint = isItem ? `write [${quoteText(value)}]` : undefined;
    problems.add(pointer, `must be ${describeExpectation(schema)}`, hint);
    return;
  }
  if (value.length < (schema.minItems ?? 0)) {
    problems.add(pointer, `must have at least ${schema.minItems} in its list`, 'leave the key out instead');
  }
  if (value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) {
    problems.add(pointer, `must have at most ${schema.maxItems} in its list, and has ${value.length}`);
  }
  const items = schema.items;
  if (items !== undefined) {
    for (const [index, item] of value.entries()) {
      reportSchemaProblems(items, item, childPointer(pointer, index), problems);
    }
  }
}

function fitsScalar(schema: SchemaNode, value: unknown): boolean {
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' && fitsText(schema, value);
    case 'integer':
      return Number.isInteger(value) && fitsRange(schema, value as number);
    case 'number':
      return Number.isFinite(value) && fitsRange(schema, value as number);
    case 'boolean':
      return typeof value === 'boolean';
    default:
      return true;
  }
}

function fitsText(schema: SchemaNode, text: string): boolean {
  // JSON Schema counts characters as code points; fewer UTF-16 units than the limit cannot exceed it.
  const length =
    text.length > (schema.maxLength ?? Number.POSITIVE_INFINITY) ? [...text].length : text.length;
  return (
    length >= (schema.minLength ?? 0) &&
    length <= (schema.maxLength ?? Number.POSITIVE_INFINITY) &&
    (schema.pattern === undefined || matchesPattern(schema.pattern, text))
  );
}

function fitsRange(schema: SchemaNode, number: number): boolean {
  return (
    number >= (schema.minimum ?? Number.NEGATIVE_INFINITY) &&
    number <= (schema.maximum ?? Number.POSITIVE_INFINITY)
  );
}

function hintForScalar(schema: SchemaNode, value: unknown): string | undefined {
  const isQuotedNumber =
    (schema.type === 'integer' || schema.type === 'number') &&
    typeof value === 'string' &&
    value.trim() !== '' &&
    fitsScalar(schema, Number(value));
  if (isQuotedNumber) {
    return `write ${Number(value)} without quotes`;
  }
  if (schema.type === 'boolean' && (value === 'true' || value === 'false')) {
    return `write ${value} without quotes`;
  }
  if (schema.type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return `write it in quotes: "${value}"`;
  }
  return hintForWrongType(value);
}

function hintForWrongType(value: unknown): string | undefined {
  return value === null ? 'leave the key out instead' : undefined;
}
