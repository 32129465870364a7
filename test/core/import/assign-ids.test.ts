import fc from 'fast-check';
import t from 'tap';
import { ID_PATTERN } from '../../../lib/core/config/patterns.ts';
import { isForbiddenKey } from '../../../lib/core/config/plain-data.ts';
import { assignIds } from '../../../lib/core/import/assign-ids.ts';

t.test('a name that fits stays, another one becomes alike', async (t) => {
  const names = ['a b', 'a-b', 'cluster1/destination1', '', '../x', 'constructor', '_', 'ü', 'a b'];
  t.same(assignIds(names, 'route'), [
    'a-b-2',
    'a-b',
    'cluster1-destination1',
    'route',
    'x',
    'route-constructor',
    'route-2',
    'route-3',
    'a-b-3',
  ]);
});

t.test('ids are valid and unique, whatever the names are', async () => {
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom('a', 'A', 'a b', 'a-b', 'a-b-2', '__proto__', 'x'.repeat(500)),
  );
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const ids = assignIds(names, 'route');
      const isValid = (id: string) => new RegExp(ID_PATTERN).test(id) && !isForbiddenKey(id);
      return ids.length === names.length && new Set(ids).size === ids.length && ids.every(isValid);
    }),
    { numRuns: 300 },
  );
});
