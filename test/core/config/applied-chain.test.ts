/** Whether a configuration holds a change: said only where it is certain, whatever histories the store went through. */
import fc from 'fast-check';
import t from 'tap';
import { AppliedChain, type Standing } from '../../../lib/core/config/applied-chain.ts';

const at = (revision: number, id = `id-${revision}`): Standing => ({ revision, id });

t.test('a configuration holds the changes that led to it, its own included, and none after it', (t) => {
  const chain = new AppliedChain();
  for (const revision of [1, 2, 3]) chain.add(at(revision));
  t.ok(chain.holds(at(3), at(3)));
  t.ok(chain.holds(at(3), at(1)));
  t.notOk(chain.holds(at(2), at(3)));
  t.end();
});

t.test('revisions may be left out', (t) => {
  const chain = new AppliedChain();
  chain.add(at(3));
  chain.add(at(9));
  t.ok(chain.holds(at(9), at(3)));
  t.notOk(chain.has(at(5)));
  t.end();
});

t.test('the same number under another id is another change', (t) => {
  const chain = new AppliedChain();
  chain.add(at(1));
  chain.add(at(2));
  t.notOk(chain.holds(at(2, 'other'), at(1)));
  t.notOk(chain.holds(at(2), at(1, 'other')));
  t.end();
});

t.test('after a restart nothing is known of what was before', (t) => {
  const chain = new AppliedChain();
  chain.add(at(1));
  chain.restart();
  chain.add(at(2));
  t.notOk(chain.has(at(1)));
  t.notOk(chain.holds(at(2), at(1)));
  t.end();
});

t.test('a head that does not count up proves nothing about those before', (t) => {
  const chain = new AppliedChain();
  chain.add(at(4));
  chain.add(at(5));
  chain.add(at(3, 'low'));
  t.notOk(chain.holds(at(5), at(3, 'low')), 'five was there before it');
  t.ok(chain.has(at(3, 'low')));
  t.end();
});

t.test('a head that is there already is not added again', (t) => {
  const chain = new AppliedChain();
  for (const revision of [1, 2, 1, 2, 3]) chain.add(at(revision));
  t.ok(chain.holds(at(3), at(1)));
  t.end();
});

t.test('the oldest are forgotten, and the newest ten thousand are not', (t) => {
  const chain = new AppliedChain();
  for (let revision = 1; revision <= 10_001; revision += 1) chain.add(at(revision));
  t.notOk(chain.has(at(1)));
  t.ok(chain.holds(at(10_001), at(2)));
  t.end();
});

interface Commit extends Standing {
  readonly parent: Commit | null;
}

function isAncestor(ancestor: Commit, commit: Commit): boolean {
  for (let one: Commit | null = commit; one !== null; one = one.parent) if (one === ancestor) return true;
  return false;
}

/** The commits after `from` that lead to `to`, oldest first; null where they do not. */
function wayBetween(from: Commit, to: Commit): Commit[] | null {
  const way: Commit[] = [];
  for (let one: Commit | null = to; one !== from; one = one.parent) {
    if (one === null) return null;
    way.unshift(one);
  }
  return way;
}

/** Commits on random parents, their revisions mostly counting up: many branches have the same numbers. */
const arbitraryTree = fc
  .array(fc.record({ parent: fc.nat(), step: fc.integer({ min: -3, max: 4 }) }), {
    minLength: 2,
    maxLength: 20,
  })
  .map((seeds) => {
    const commits: Commit[] = [{ revision: 1, id: 'c0', parent: null }];
    for (const [index, { parent: place, step }] of seeds.entries()) {
      const parent = commits[place % commits.length] as Commit;
      // A console that writes by hand may even count backwards.
      const revision = Math.max(1, parent.revision + step);
      commits.push({ revision, id: `c${index + 1}`, parent });
    }
    return commits;
  });

t.test('whatever branches are gone through: what is said to be held is an ancestor', (t) => {
  let said = 0;
  fc.assert(
    fc.property(arbitraryTree, fc.array(fc.nat(), { minLength: 1, maxLength: 20 }), (commits, moves) => {
      const chain = new AppliedChain();
      let held: Commit | null = null;
      for (const move of moves) {
        const next = commits[move % commits.length] as Commit;
        const way: Commit[] | null = held === null ? null : wayBetween(held, next);
        if (way === null) chain.restart();
        for (const one of way ?? [next]) chain.add(one);
        held = next;
        if (!chain.has(next)) throw new Error(`${next.id} is held`);
        for (const standing of commits) {
          for (const change of commits) {
            if (!chain.holds(standing, change)) continue;
            said += 1;
            if (!isAncestor(change, standing)) throw new Error(`${standing.id} does not hold ${change.id}`);
          }
        }
      }
    }),
    { numRuns: 500 },
  );
  t.ok(said > 1_000, 'and it is said often');
  t.end();
});
