import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { equalValues } from '../../../lib/core/config/equal-values.ts';

const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));

t.test('JSON values are equal as a deep comparison has them', async () => {
  fc.assert(
    fc.property(json, json, (left, right) => equalValues(left, right) === isDeepStrictEqual(left, right)),
    { numRuns: 500 },
  );
  fc.assert(fc.property(json, (value) => equalValues(value, structuredClone(value))));
});

t.test('what only looks alike is not equal', async (t) => {
  const pairs: [unknown, unknown][] = [
    [[], {}],
    [{}, []],
    [null, {}],
    [0, false],
    ['1', 1],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 2]],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 1 }],
    [{ toString: 1 }, { a: 1 }],
    [JSON.parse('{"__proto__":{}}'), { a: 1 }],
    [{ a: { b: [1] } }, { a: { b: [2] } }],
  ];
  for (const [left, right] of pairs) {
    t.notOk(equalValues(left, right), JSON.stringify([left, right]));
  }
});

t.test('the order of keys does not count', async (t) => {
  t.ok(equalValues({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }));
});
