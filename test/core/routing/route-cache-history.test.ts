import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { RouteCache } from '../../../lib/core/routing/route-cache.ts';
import { histories, play, requestLists, requests, routes } from './arbitrary-routes.ts';
import { matchNaively, type NaiveRoute } from './naive-match.ts';

t.test('after any history each request finds the route that the rules name', async () => {
  fc.assert(
    fc.property(histories, requestLists, (history, facts) => {
      const { cache, left } = play(history);
      for (const one of facts) {
        assert.equal(cache.match(one), matchNaively([...left.values()], one));
      }
    }),
    { numRuns: 1_500 },
  );
});

t.test('after any history the cache is as one built from what is left, in answers and in shape', async () => {
  fc.assert(
    fc.property(histories, requestLists, (history, facts) => {
      const { cache, left } = play(history);
      const rebuilt = play([...left.values()].toReversed()).cache;
      assert.equal(cache.size, left.size);
      assert.deepEqual(cache.countParts(), rebuilt.countParts());
      for (const one of facts) {
        assert.equal(cache.match(one), rebuilt.match(one));
      }
    }),
    { numRuns: 500 },
  );
});

t.test('a cache filled with the entries of another is as that one, and goes its own way', async () => {
  fc.assert(
    fc.property(histories, histories, requestLists, (history, later, facts) => {
      const { cache, left } = play(history);
      const copy = new RouteCache<string>();
      for (const entry of cache.entries()) {
        copy.insert(entry);
      }
      assert.deepEqual(copy.countParts(), cache.countParts());
      for (const step of later) {
        if (typeof step === 'string') {
          copy.delete(step);
        } else {
          copy.put(step.id, step.match, step.order, step.id);
        }
      }
      assert.equal(cache.size, left.size);
      const leftInCopy = play([...left.values(), ...later]).left;
      for (const one of facts) {
        assert.equal(cache.match(one), matchNaively([...left.values()], one));
        assert.equal(copy.match(one), matchNaively([...leftInCopy.values()], one));
      }
    }),
    { numRuns: 300 },
  );
});

t.test('after everything is deleted nothing is left in the tables', async () => {
  fc.assert(
    fc.property(histories, (history) => {
      const { cache, left } = play(history);
      for (const id of left.keys()) {
        cache.delete(id);
      }
      assert.equal(cache.size, 0);
      assert.deepEqual(cache.countParts(), { hosts: 0, nodes: 0 });
    }),
    { numRuns: 300 },
  );
});

t.test('a large table answers as the rules say, also after most of it is gone', async () => {
  const cache = new RouteCache<string>();
  const left = new Map<string, NaiveRoute>();
  const generated = fc.sample(routes, { numRuns: 2_000, seed: 7 });
  for (const [index, route] of generated.entries()) {
    const id = `${route.id}-${index}`;
    cache.put(id, route.match, index % 3 === 0 ? index : route.order, id);
    left.set(id, { ...route, id, order: index % 3 === 0 ? index : route.order });
  }
  for (const [index, id] of [...left.keys()].entries()) {
    if (index % 10 !== 0) {
      assert.ok(cache.delete(id) && left.delete(id));
    }
  }
  for (const one of fc.sample(requests, { numRuns: 300, seed: 8 })) {
    assert.equal(cache.match(one), matchNaively([...left.values()], one));
  }
});
