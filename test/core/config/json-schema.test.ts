import t from 'tap';
import { Compile } from 'typebox/compile';
import { publishedSchema } from '../../../lib/core/config/json-schema.ts';

t.test('the published schema is plain JSON with its identity', async (t) => {
  const schema = publishedSchema();
  t.strictSame(JSON.parse(JSON.stringify(schema)), schema);
  t.match(schema, {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:fengling-gateway:configuration',
    title: String,
    type: 'object',
    additionalProperties: false,
  });
  t.not(publishedSchema(), schema, 'a new object each time');
});

t.test('the published schema tells documents of the right form from others', async (t) => {
  const validator = Compile(publishedSchema());
  const cluster = { destinations: { d: { url: 'http://h' } } };
  t.ok(validator.Check({ clusters: { c: cluster }, routes: {}, issuers: {}, certificates: {} }));
  t.notOk(validator.Check({ issuers: { main: {} } }));
  t.notOk(validator.Check({ certificates: { 'Upper.example.com': {} } }));
  t.notOk(validator.Check({ routs: {} }));
  t.notOk(validator.Check({ clusters: { 'a b': cluster } }));
  t.notOk(validator.Check({ routes: { r: { match: {} } } }));
});

t.test('every property has a description for editors', async (t) => {
  const visit = (node: unknown, path: string): void => {
    const { properties = {}, patternProperties = {}, items } = node as Record<string, Record<string, object>>;
    for (const [name, property] of Object.entries(properties)) {
      t.match(property, { description: /\w/ }, `${path}/${name}`);
    }
    for (const [name, child] of Object.entries({
      ...properties,
      ...patternProperties,
      ...(items && { items }),
    })) {
      visit(child, `${path}/${name}`);
    }
  };
  visit(publishedSchema(), '');
});
