import fc from 'fast-check';
import t from 'tap';
import { Compile } from 'typebox/compile';
import { certificateSchema } from '../../../lib/core/config/certificate-schema.ts';
import { clusterSchema } from '../../../lib/core/config/cluster-schema.ts';
import { consumerSchema } from '../../../lib/core/config/consumer-schema.ts';
import { describeExpectation } from '../../../lib/core/config/expectation.ts';
import { issuerSchema } from '../../../lib/core/config/issuer-schema.ts';
import { ProblemList } from '../../../lib/core/config/problem-list.ts';
import { routeSchema } from '../../../lib/core/config/route-schema.ts';
import type { SchemaNode } from '../../../lib/core/config/schema-node.ts';
import { reportSchemaProblems } from '../../../lib/core/config/schema-problems.ts';
import { checkOneCluster, checkOneRoute, pointersOf } from './findings.ts';

function explain(schema: SchemaNode, value: unknown) {
  const problems = new ProblemList();
  reportSchemaProblems(schema, value, '', problems);
  return problems.toArray();
}

t.test('messages are plain and hints say how to mend it', async (t) => {
  const cases: [SchemaNode, unknown, string, string?][] = [
    [{ type: 'integer', minimum: 1, maximum: 10 }, 11, 'must be an integer from 1 to 10'],
    [
      { type: 'integer', minimum: 1, maximum: 10 },
      '3',
      'must be an integer from 1 to 10',
      'write 3 without quotes',
    ],
    [{ type: 'integer', minimum: 1 }, 1.5, 'must be an integer of at least 1'],
    [{ type: 'integer', minimum: 1 }, '', 'must be an integer of at least 1'],
    [{ type: 'number', maximum: 2 }, Number.NaN, 'must be a number of at most 2'],
    [{ type: 'number' }, null, 'must be a number', 'leave the key out instead'],
    [{ type: 'boolean' }, 'true', 'must be true or false', 'write true without quotes'],
    [{ type: 'string' }, 2, 'must be a text', 'write it in quotes: "2"'],
    [{ type: 'string', maxLength: 2 }, 'abc', 'must be a text, at most 2 characters'],
    [{ type: 'string', minLength: 1 }, '', 'must be a text, at least 1 characters'],
    [{ type: 'string', minLength: 1, maxLength: 2 }, '', 'must be a text, 1 to 2 characters'],
    [{ type: 'string', pattern: '^x$' }, 'y', 'must be a text that matches ^x$'],
    [{ type: 'array' }, 'GET', 'must be a list', 'write ["GET"]'],
    [{ type: 'array' }, {}, 'must be a list'],
    [{ type: 'array', minItems: 1 }, [], 'must have at least 1 in its list', 'leave the key out instead'],
    [{ type: 'array', maxItems: 1 }, [1, 2], 'must have at most 1 in its list, and has 2'],
    [{ type: 'object' }, [], 'must be an object'],
    [{ type: 'object' }, null, 'must be an object', 'leave it out, or write {}'],
    [{ type: 'object', required: ['a'] }, {}, '"a" is missing'],
    [{ enum: ['red', 'green'] }, 'gren', 'must be one of red, green', 'did you mean green?'],
    [{ enum: ['red', 'green'] }, 5, 'must be one of red, green'],
    [{ enum: ['red'] }, 'x', 'must be red'],
    [{ type: 'object', properties: { abc: {} } }, { abd: 1 }, 'unknown key "abd"', 'did you mean abc?'],
    [
      { type: 'object', properties: { abc: {}, d: {} } },
      { xyz: 1 },
      'unknown key "xyz"',
      'known here: abc, d',
    ],
  ];
  for (const [schema, value, message, hint] of cases) {
    const problems = explain(schema, value);
    t.equal(problems.length, 1, message);
    t.equal(problems[0]?.message, message);
    t.equal(problems[0]?.hint, hint);
  }
});

t.test('a union that is missed is one problem for its place', async (t) => {
  const { problems } = checkOneCluster({ retry: { on: ['connect', 503, 499, 'rest', null] } });
  t.same(pointersOf(problems), ['/retry/on/2', '/retry/on/3', '/retry/on/4']);
  t.equal(problems[0]?.message, 'must be one of connect, reset, timeout, or an integer from 500 to 599');
  t.equal(problems[1]?.hint, 'did you mean reset?');
});

t.test('more problems than any library default are all reported', async (t) => {
  const methods = Array.from({ length: 40 }, () => 'a b');
  t.equal(checkOneRoute({ match: { methods } }).problems.length, 40);
});

t.test('what the schema does not say anything about fits', async (t) => {
  t.same(explain({}, { any: ['thing'] }), []);
  t.equal(describeExpectation({}), 'what the schema allows here');
  t.same(explain({ type: 'string', maxLength: 2 }, '😀😀'), [], 'characters are code points');
});

t.test('a place has a problem exactly where the compiled schema refuses it', async () => {
  const validator = Compile(routeSchema);
  const leaf = fc.constantFrom<unknown>(
    '/a',
    'a b',
    '',
    'GET',
    'x-a',
    0,
    1.5,
    -1,
    true,
    null,
    [],
    {},
    'exact',
    ['a'],
    [{ name: 'x' }],
    { set: { a: 'b\n' } },
  );
  const keys = [
    'match',
    'cluster',
    'order',
    'rewrite',
    'limits',
    'requestHeaders',
    'preserveHost',
    'hosts',
    'path',
    'headers',
    'methods',
    'set',
    'remove',
    'maxBodyBytes',
  ];
  const object = (child: fc.Arbitrary<unknown>) =>
    fc.dictionary(fc.constantFrom(...keys), child, { maxKeys: 4 });
  const route = fc.record(
    { match: fc.oneof(leaf, object(leaf)), cluster: fc.constantFrom('c', '', 1) },
    { requiredKeys: [] },
  );
  const value = fc
    .tuple(route, object(fc.oneof(leaf, object(leaf))))
    .map(([base, more]) => ({ ...more, ...base }));
  fc.assert(
    fc.property(
      value,
      (candidate) =>
        validator.Check(candidate) ===
        (explain(routeSchema as unknown as SchemaNode, candidate).length === 0),
    ),
    { numRuns: 1_000 },
  );
});

const TEXTS = ['a', 'x-a', '/a', 'A_B', `sha256:${'0'.repeat(64)}`, `scrypt:14:8:1:${'a'.repeat(65)}`];
const SCRYPT = `scrypt:15:8:1:${'a'.repeat(22)}:${'b'.repeat(43)}`;

/** Values that fit a schema, with something else at any place of them now and then. */
function arbitraryNear(schema: SchemaNode): fc.Arbitrary<unknown> {
  const other = fc.constantFrom<unknown>('', 'a b', 'a', 0, -1, 1e12, 1.5, true, null, [], {}, [''], {
    a: 1,
  });
  return fc.oneof({ weight: 40, arbitrary: arbitraryFitting(schema) }, { weight: 1, arbitrary: other });
}

function arbitraryFitting(schema: SchemaNode): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(arbitraryNear));
  switch (schema.type) {
    case 'object':
      return arbitraryObject(schema);
    case 'array':
      return fc.array(arbitraryNear(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 2 });
    case 'string': {
      const pattern = new RegExp(schema.pattern ?? '', 'u');
      const { minLength = 0, maxLength = 1_000 } = schema;
      const fitting = [...TEXTS, SCRYPT].filter(
        (text) => pattern.test(text) && text.length >= minLength && text.length <= maxLength,
      );
      return fc.constantFrom(...fitting);
    }
    case 'boolean':
      return fc.boolean();
    default:
      return fc.constantFrom(schema.minimum ?? 1, schema.maximum ?? 1);
  }
}

function arbitraryObject({ properties = {}, patternProperties = {}, required = [] }: SchemaNode) {
  const fields = Object.entries(properties).map(([key, child]) => [key, arbitraryNear(child)]);
  const known = fc.record<Record<string, unknown>>(Object.fromEntries(fields), {
    requiredKeys: [...required],
  });
  const [values = {}] = Object.values(patternProperties);
  const named = fc.dictionary(fc.constantFrom('x-a', 'a', 'b'), arbitraryNear(values), {
    maxKeys: 2 * Object.keys(patternProperties).length,
  });
  const extra = fc.oneof(
    { weight: 60, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constantFrom({ extra: 1 }, { 'a b': 1 }) },
  );
  return fc.tuple(known, named, extra).map((parts) => Object.assign({}, ...parts));
}

t.test('every kind of entry has a problem exactly where its compiled schema refuses it', async (t) => {
  const schemas = { clusterSchema, issuerSchema, consumerSchema, certificateSchema, routeSchema };
  for (const [name, schema] of Object.entries(schemas)) {
    const validator = Compile(schema);
    const node = schema as unknown as SchemaNode;
    let fitting = 0;
    fc.assert(
      fc.property(arbitraryFitting(node), (value) => {
        const fits = validator.Check(value);
        fitting += Number(fits);
        return fits === (explain(node, value).length === 0);
      }),
      { numRuns: 400 },
    );
    t.ok(fitting > 20 && fitting < 380, `${name}: ${fitting} of 400 fit`);
  }
});
