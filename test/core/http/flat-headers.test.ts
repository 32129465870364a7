import fc from 'fast-check';
import t from 'tap';
import {
  removeFields,
  removeLookAlikes,
  replaceFields,
  singleValueOf,
  valuesOf,
} from '../../../lib/core/http/flat-headers.ts';

const fieldName = fc.constantFrom('a', 'A', 'b', 'B', 'c', 'vary', 'Vary');
const fields = fc.array(fc.tuple(fieldName, fc.string({ maxLength: 3 })), { maxLength: 12 });

t.test('removing takes all fields of the names and leaves the others in their order', async () => {
  fc.assert(
    fc.property(fields, fc.subarray(['a', 'b', 'c', 'vary']), (list, removed) => {
      const flat = list.flat();
      removeFields(flat, new Set(removed));
      const expected = list.filter(([name]) => !removed.includes(name.toLowerCase())).flat();
      return JSON.stringify(flat) === JSON.stringify(expected);
    }),
    { numRuns: 300 },
  );
});

t.test('look-alikes of a name go with it', async (t) => {
  const headers = [
    'X-Key',
    '1',
    'x_key',
    '2',
    'X.KEY',
    '3',
    'x-key2',
    '4',
    'xkey',
    '5',
    'Authorization',
    '6',
  ];
  removeLookAlikes(headers, ['x-key', 'authorization']);
  t.same(headers, ['x-key2', '4', 'xkey', '5']);
});

t.test('replacing leaves one word on each name, but adds to Vary', async () => {
  fc.assert(
    fc.property(fields, fields, (list, given) => {
      const flat = list.flat();
      replaceFields(flat, given.flat());
      const names = new Set(given.map(([name]) => name.toLowerCase()).filter((name) => name !== 'vary'));
      const kept = list.filter(([name]) => !names.has(name.toLowerCase()));
      return JSON.stringify(flat) === JSON.stringify([...kept, ...given].flat());
    }),
    { numRuns: 300 },
  );
});

t.test('values are found in any spelling of the name, and a single one only where it is', async (t) => {
  const list = ['Origin', 'one', 'origins', 'no', 'ORIGIN', 'two', 'x', '', 'Y', 'three'];
  t.same(valuesOf(list, 'origin'), ['one', 'two']);
  t.same(valuesOf(list, 'none'), []);
  t.equal(singleValueOf(list, 'origin'), null, 'repeated');
  t.equal(singleValueOf(list, 'none'), null);
  t.equal(singleValueOf(list, 'x'), '');
  t.equal(singleValueOf(list, 'y'), 'three');
});
