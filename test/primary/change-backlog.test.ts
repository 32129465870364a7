/** Many changes at once: after a moment in which nothing was read, or in which the store was out of reach. */
import t, { type Test } from 'tap';
import { followStore, putCluster, putRoute } from './followed-store.ts';
import { ScriptedStore } from './scripted-store.ts';

const CHANGES = 500;
const ROUTES_A_CHANGE = 40;
/** So many changes are the work of far more slices than this. */
const LEAST_TURNS = 3;

async function followWithBacklog(t: Test) {
  const store = new ScriptedStore();
  store.write([putCluster()]);
  const followed = await followStore(t, store);
  await followed.follower.start();
  const changes = Array.from({ length: CHANGES }, (_, turn) =>
    store.write(
      Array.from({ length: ROUTES_A_CHANGE }, (_, index) => putRoute(`r${index}`, `/r${index}/${turn}`)),
    ),
  );
  return { store, changes, ...followed };
}

/** How often the event loop turns while something is under way. */
async function countTurns(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isRunning = true;
  const turn = (): void => {
    turns += 1;
    if (isRunning) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isRunning = false;
  return turns;
}

t.test('changes that come all at once let other work have its turn', async (t) => {
  const { store, changes, deltas, waitFor } = await followWithBacklog(t);
  const turns = await countTurns(() => {
    for (const change of changes) store.tell(change);
    return waitFor(() => deltas.length === 1 + CHANGES);
  });
  t.ok(turns > LEAST_TURNS, `${turns} turns`);
  t.same(
    deltas.map(({ revision }) => revision),
    Array.from({ length: 1 + CHANGES }, (_, index) => index + 1),
  );
});

t.test('and so do changes that are read from the log', async (t) => {
  const { keeper, store, follower, deltas } = await followWithBacklog(t);
  const turns = await countTurns(() => follower.sync());
  t.ok(turns > LEAST_TURNS, `${turns} turns`);
  t.equal(deltas.length, 1 + CHANGES);
  t.match(keeper.head, { revision: store.head?.revision });
});
