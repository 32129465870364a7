/**
 * The part of JSON Schema that the configuration schema is written in. Reading it directly is what makes
 * problems complete and plain: TypeBox's own errors stop at a global count, report each alternative of a
 * union, and name one limit where a range was missed.
 */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  /** True where other keys are allowed than those that are named; elsewhere they are unknown. */
  readonly additionalProperties?: boolean;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

const compiledPatterns = new Map<string, RegExp>();

/** Whether `text` matches a pattern of the schema, which are few and fixed: each is compiled once. */
export function matchesPattern(pattern: string, text: string): boolean {
  let expression = compiledPatterns.get(pattern);
  if (expression === undefined) {
    expression = new RegExp(pattern, 'u');
    compiledPatterns.set(pattern, expression);
  }
  return expression.test(text);
}
