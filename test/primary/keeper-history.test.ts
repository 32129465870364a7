/**
 * Whatever a store goes through, and whatever is told of it in which order: what is held is exactly what the
 * store held under that id, and a receipt says ok only for a change that is part of what the worker serves.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Delta } from '../../lib/core/config/change.ts';
import { receiptsOf } from '../../lib/core/config/change-receipts.ts';
import { COLLECTIONS } from '../../lib/core/config/model.ts';
import { validateDocument } from '../../lib/core/config/validate.ts';
import { followStore, putCluster, putLostRoute, putRoute, removeRoute } from './followed-store.ts';
import { ScriptedStore, type StoredDocument } from './scripted-store.ts';

type Step =
  | { readonly do: 'write'; readonly what: number; readonly isTold: boolean }
  | { readonly do: 'writeLow' | 'writeLarge' | 'empty' | 'sync' | 'hint' }
  | { readonly do: 'stepBack' | 'trim' | 'tellOld'; readonly where: number };

const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('write' as const), what: fc.nat(7), isTold: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('stepBack' as const, 'trim' as const, 'tellOld' as const),
      where: fc.nat(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'writeLow' as const,
        'writeLarge' as const,
        'empty' as const,
        'sync' as const,
        'hint' as const,
      ),
    }),
  },
);

/** Some of them are valid only where others came before. */
const CHANGES = [
  [putCluster()],
  [putCluster(), putRoute('a')],
  [putRoute('b')],
  [putRoute('a', '/other')],
  [putLostRoute()],
  [removeRoute('lost')],
  [removeRoute('a')],
  [putCluster('nowhere')],
];
const LARGE = [putCluster(), ...Array.from({ length: 1_001 }, (_, index) => putRoute(`r${index}`))];

interface Version {
  readonly change: Delta;
  readonly document: StoredDocument;
  readonly before: Version | null;
}

/** All versions that a store has ever held. */
class Versions {
  readonly byId = new Map<string, Version>();

  note(store: ScriptedStore, change: Delta): void {
    const before = change.parent === null ? null : (this.byId.get(change.parent) ?? null);
    this.byId.set(change.id, { change, document: structuredClone(store.document), before });
  }

  isPartOf(change: Delta, id: string): boolean {
    for (let one = this.byId.get(id) ?? null; one !== null; one = one.before) {
      if (one.change.id === change.id) return true;
    }
    return false;
  }

  at(place: number): Version | undefined {
    return [...this.byId.values()][place % Math.max(1, this.byId.size)];
  }
}

async function play(t: Test, steps: readonly Step[]): Promise<{ receipts: number; taken: number }> {
  const store = new ScriptedStore();
  const followed = await followStore(t, store);
  const { keeper, follower } = followed;
  const versions = new Versions();
  let receipts = 0;

  const write = (operations: Delta['operations'], revision = 0): Delta => {
    const change = store.write(operations, { revision });
    versions.note(store, change);
    return change;
  };
  const take = (step: Step): unknown => {
    switch (step.do) {
      case 'write': {
        const change = write(CHANGES[step.what] ?? []);
        return step.isTold && store.tell(change);
      }
      case 'writeLow':
        return write([putCluster('low')], Math.max(1, (store.head?.revision ?? 0) - 1));
      case 'writeLarge':
        return store.tell(write(LARGE));
      case 'stepBack':
        return store.stepBackTo(step.where % Math.max(1, store.head?.revision ?? 0));
      case 'trim':
        return store.trimLog(step.where % ((store.head?.revision ?? 0) + 1));
      case 'tellOld': {
        const version = versions.at(step.where);
        return version && store.tell(version.change);
      }
      case 'empty':
        return store.empty();
      case 'hint':
        return store.hint();
      case 'sync':
        return follower.sync();
    }
  };
  const check = (): void => {
    const { id } = keeper.head;
    const version = versions.byId.get(id);
    if (version !== undefined && !isDeepStrictEqual(followed.document(), sorted(version.document))) {
      throw new Error(`${id} is not what the store held under this id`);
    }
    // Workers that lag stand at any version that ever was.
    for (const { change: standing } of versions.byId.values()) {
      for (const { change } of versions.byId.values()) {
        const [receipt] = receiptsOf(instanceAt(standing), change, keeper.chain);
        if (receipt?.ok !== true) continue;
        receipts += 1;
        if (!versions.isPartOf(change, standing.id))
          throw new Error(`${standing.id} does not hold ${change.id}`);
      }
    }
  };

  await follower.start();
  for (const step of steps) {
    await take(step);
    check();
  }
  await follower.sync();
  check();
  const { head } = store;
  const isValid = validateDocument(store.document).problems.length === 0;
  if (head !== null && isValid && keeper.head.id !== head.id) throw new Error('the store is not followed');
  if (head !== null && isValid && !keeper.chain.has(head)) throw new Error('what is held is not known');
  if (head !== null && !isValid && keeper.refused?.head?.id !== head.id) throw new Error('not refused');
  if (head === null && keeper.head.revision > 0 && !keeper.storeIsEmpty) throw new Error('not called empty');
  await follower.close();
  return { receipts, taken: followed.deltas.length };
}

const instanceAt = ({ revision, id }: Delta) => ({
  instance: 'one',
  configuration: { revision, id, refused: null },
  store: { reachable: true },
  workers: [{ worker: 1, state: 'serving', revision, id }],
});

/** As the document of a configuration is: by id. */
function sorted(document: StoredDocument): StoredDocument {
  const byId = (section: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(section).sort(([one], [other]) => (one < other ? -1 : 1)));
  const sections = Object.values(COLLECTIONS).map((name) => [name, byId(document[name])]);
  return Object.fromEntries(sections);
}

t.test('random histories', async (t) => {
  let receipts = 0;
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryStep, { minLength: 1, maxLength: 20 }), async (steps) => {
      const played = await play(t, steps);
      receipts += played.receipts;
      taken += played.taken;
    }),
    { numRuns: 300 },
  );
  t.ok(receipts > 300 && taken > 300, `${receipts} receipts, ${taken} changes taken`);
});
