import t from 'tap';
import type { HeaderTransform } from '../../../lib/core/config/model.ts';
import { compileHeaderTransform } from '../../../lib/core/http/header-transform.ts';

const HEADERS = ['Accept', '*/*', 'Cookie', 'a=1', 'X-A', '1', 'cookie', 'b=2', 'x-a', '2'];

const cases: Record<string, { transform: HeaderTransform; expected: string[] }> = {
  'remove takes away every field of that name, in any case': {
    transform: { remove: ['COOKIE'] },
    expected: ['Accept', '*/*', 'X-A', '1', 'x-a', '2'],
  },
  'set replaces every field of that name by one': {
    transform: { set: { 'x-A': '3' } },
    expected: ['Accept', '*/*', 'Cookie', 'a=1', 'cookie', 'b=2', 'x-A', '3'],
  },
  'set adds what was not there': {
    transform: { set: { 'X-New': 'n' } },
    expected: [...HEADERS, 'X-New', 'n'],
  },
  'append adds a field and keeps the others': {
    transform: { append: { 'X-A': '3' } },
    expected: [...HEADERS, 'X-A', '3'],
  },
  'set and append of one name give two fields': {
    transform: { set: { 'X-A': '3' }, append: { 'x-a': '4' } },
    expected: ['Accept', '*/*', 'Cookie', 'a=1', 'cookie', 'b=2', 'X-A', '3', 'x-a', '4'],
  },
  'remove goes first, whatever else names the field': {
    transform: { remove: ['accept'], append: { Accept: 'text/html' } },
    expected: ['Cookie', 'a=1', 'X-A', '1', 'cookie', 'b=2', 'x-a', '2', 'Accept', 'text/html'],
  },
};

for (const [what, { transform, expected }] of Object.entries(cases)) {
  t.test(what, async (t) => {
    const headers = [...HEADERS];
    const transformer = compileHeaderTransform(transform);
    transformer?.apply(headers);
    t.same(headers, expected);
    t.equal(transformer?.host, null);
  });
}

t.test('a value may look like a name', async (t) => {
  const headers = ['X-Name', 'cookie', 'Cookie', 'x-name'];
  compileHeaderTransform({ remove: ['cookie'] })?.apply(headers);
  t.same(headers, ['X-Name', 'cookie']);
});

t.test('Host travels apart from the other fields', async (t) => {
  const transformer = compileHeaderTransform({ set: { Host: 'a.example', 'X-B': '1' } });
  const headers: string[] = [];
  transformer?.apply(headers);
  t.equal(transformer?.host, 'a.example');
  t.same(headers, ['X-B', '1']);
});

t.test('what changes nothing is null', async (t) => {
  t.equal(compileHeaderTransform(undefined), null);
  t.equal(compileHeaderTransform({}), null);
  t.equal(compileHeaderTransform({ set: {}, append: {}, remove: [] }), null);
});
