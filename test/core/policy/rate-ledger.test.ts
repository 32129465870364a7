/** How the primary divides pressed limits among its workers, and with other instances. */
import t from 'tap';
import type { RateDemand, RateShare } from '../../../lib/core/policy/rate-demand.ts';
import { RateLedger } from '../../../lib/core/policy/rate-ledger.ts';
import type { RateMembers } from '../../../lib/core/policy/rate-record.ts';

const KEY = 4_711;
const FOUR: RateMembers = { workers: [1, 2, 3, 4], instances: 1, hearsOthers: true, defaultShare: 0.25 };

const demand = (requests: number, offered = 0, key = KEY): RateDemand => [key, requests, offered, 100, 0.1];
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const isAbout = (value: number, wanted: number) => Math.abs(value - wanted) < 1e-9;

/** The share of each worker of `members` that a settlement tells; -1 where it is told nothing. */
function sharesOf(told: readonly (readonly RateShare[])[]): (number | null)[] {
  return told.map(([share]) => (share === undefined ? -1 : share[1]));
}

function settled(ledger: RateLedger, nowMs: number, members = FOUR): number[] {
  return sharesOf(ledger.settle(members, nowMs)).map((share) => share ?? Number.NaN);
}

t.test('who demands gets nearly all, and all shares together are the whole', async (t) => {
  const ledger = new RateLedger(1);
  ledger.noteWorker(2, [demand(30)], 0);
  const shares = settled(ledger, 0);
  t.ok(shares[1]! > 0.95);
  t.ok(shares.every((share) => share > 0));
  t.ok(isAbout(sum(shares), 1), `${shares}`);
  t.same(settled(ledger, 100), [-1, -1, -1, -1], 'without news nobody is told anything');
});

t.test('shares follow the demand, and are told to all or to none', async (t) => {
  const ledger = new RateLedger(1);
  ledger.noteWorker(1, [demand(10)], 0);
  ledger.settle(FOUR, 0);
  ledger.noteWorker(1, [demand(11)], 500);
  t.same(settled(ledger, 500), [-1, -1, -1, -1], 'a little more of the same changes nothing');
  ledger.noteWorker(2, [demand(11)], 600);
  const shares = settled(ledger, 600);
  t.equal(shares[0], shares[1]);
  t.ok(isAbout(sum(shares), 1), `${shares}`);
});

t.test('workers that all demand the same keep the default share, and hear nothing', async (t) => {
  const ledger = new RateLedger(1);
  for (const worker of FOUR.workers) ledger.noteWorker(worker, [demand(5)], 0);
  t.same(settled(ledger, 0), [-1, -1, -1, -1]);
});

t.test('a key that nobody presses any more falls back to the default share, and is forgotten', async (t) => {
  const ledger = new RateLedger(1);
  ledger.noteWorker(1, [demand(5)], 0);
  ledger.settle(FOUR, 0);
  t.same(sharesOf(ledger.settle(FOUR, 2_000)), [-1, -1, -1, -1]);
  t.same(sharesOf(ledger.settle(FOUR, 2_001)), [null, null, null, null]);
  ledger.settle(FOUR, 2_002);
  t.equal(ledger.size, 0);
});

t.test('the share of a worker that says nothing more goes to the others after two seconds', async (t) => {
  const ledger = new RateLedger(1);
  ledger.noteWorker(1, [demand(5)], 0);
  ledger.noteWorker(2, [demand(5)], 0);
  ledger.settle(FOUR, 0);
  ledger.noteWorker(2, [demand(5)], 2_100);
  t.ok(settled(ledger, 2_100)[1]! > 0.95);
});

t.test('the share of a worker that is gone goes to the others at once, also to its successor', async (t) => {
  const ledger = new RateLedger(1);
  ledger.noteWorker(1, [demand(5)], 0);
  ledger.noteWorker(2, [demand(5)], 0);
  ledger.settle(FOUR, 0);
  ledger.forgetWorker(1);
  ledger.noteWorker(2, [demand(5)], 500);
  const members = { ...FOUR, workers: [2, 3, 4, 5] };
  const shares = settled(ledger, 500, members);
  t.ok(shares[0]! > 0.95);
  t.ok(isAbout(sum(shares), 1));
});

t.test('a new worker is told the shares that hold already', async (t) => {
  const ledger = new RateLedger(1);
  ledger.noteWorker(1, [demand(5)], 0);
  ledger.settle(FOUR, 0);
  ledger.noteWorker(1, [demand(5)], 500);
  const shares = settled(ledger, 500, { ...FOUR, workers: [1, 2, 3, 5] });
  t.ok(shares[3]! > 0 && shares[3]! < 0.01);
});

t.test('tokens that are given up go to those who want them, not back, and none is made', async (t) => {
  const ledger = new RateLedger(1);
  ledger.noteWorker(1, [demand(5)], 0);
  ledger.settle(FOUR, 0);
  ledger.noteWorker(2, [demand(0, 20)], 10);
  ledger.noteWorker(3, [demand(0, 20)], 10);
  const granted = ledger.settle(FOUR, 10).map(([share]) => share?.[2] ?? 0);
  t.ok(granted[0]! > 39 && granted[0]! < 40, `${granted}`);
  t.same([granted[1], granted[2]], [0, 0]);
  t.ok(sum(granted) <= 40 + 1e-9);
});

t.test('what is given up at the end of the demand is divided equally', async (t) => {
  const ledger = new RateLedger(1);
  ledger.noteWorker(1, [demand(5)], 0);
  ledger.settle(FOUR, 0);
  ledger.settle(FOUR, 2_001);
  ledger.noteWorker(1, [demand(0, 75)], 2_010);
  const told = ledger.settle(FOUR, 2_010).map(([share]) => share ?? null);
  t.equal(told[0], null);
  t.same(
    told.slice(1).map((share) => [share?.[1], share?.[2]]),
    [
      [null, 25],
      [null, 25],
      [null, 25],
    ],
  );
});

t.test('instances share by what each of them demands', async (t) => {
  const [one, two] = [new RateLedger(1), new RateLedger(2)];
  const members: RateMembers = { workers: [1, 2], instances: 2, hearsOthers: true, defaultShare: 0.25 };
  one.noteWorker(1, [demand(30)], 0);
  two.noteWorker(1, [demand(10)], 0);
  const [told, heard] = [one.takeDemands(), two.takeDemands()];
  one.noteInstance('two', heard, 0);
  two.noteInstance('one', told, 0);
  const shares = [...settled(one, 0, members), ...settled(two, 0, members)];
  t.ok(isAbout(sum(shares), 1), `${shares}`);
  t.ok(shares[0]! > 2.5 * shares[2]!);
  t.same(one.takeDemands(), [], 'nothing is told twice');
});

t.test('an instance without demand gives its tokens to the one that has it', async (t) => {
  const [busy, idle] = [new RateLedger(1), new RateLedger(2)];
  const members: RateMembers = { workers: [1, 2], instances: 2, hearsOthers: true, defaultShare: 0.25 };
  busy.noteWorker(1, [demand(30)], 0);
  idle.noteInstance('busy', busy.takeDemands(), 0);
  t.ok(settled(idle, 0, members).every((share) => share > 0 && share < 0.01));
  idle.noteWorker(1, [demand(0, 24)], 10);
  idle.noteWorker(2, [demand(0, 24)], 10);
  t.same(settled(idle, 10, members), [-1, -1], 'both gave, so nobody here gets anything');
  const offer = idle.takeDemands();
  t.match(offer, [[KEY, 0, 48]]);
  busy.noteInstance('idle', offer, 20);
  const granted = busy.settle(members, 20).map(([share]) => share?.[2] ?? 0);
  t.ok(granted[0]! > 46 && sum(granted) <= 48 + 1e-9, `${granted}`);
});

t.test('the demand of an instance that is gone counts for two seconds', async (t) => {
  const ledger = new RateLedger(1);
  const members: RateMembers = { workers: [1, 2], instances: 2, hearsOthers: true, defaultShare: 0.25 };
  ledger.noteInstance('two', [demand(30)], 0);
  ledger.noteWorker(1, [demand(30)], 2_000);
  t.ok(settled(ledger, 2_000, members)[0]! < 0.5);
  ledger.noteWorker(1, [demand(30)], 2_001);
  t.ok(settled(ledger, 2_001, members)[0]! > 0.9);
});

t.test('where others cannot be heard, their part is left to them', async (t) => {
  const ledger = new RateLedger(1);
  const members: RateMembers = { workers: [1, 2], instances: 2, hearsOthers: false, defaultShare: 0.25 };
  ledger.noteWorker(1, [demand(30)], 0);
  const shares = settled(ledger, 0, members);
  t.ok(isAbout(sum(shares), 0.5), `${shares}`);
  ledger.noteWorker(2, [demand(0, 24)], 10);
  t.same(
    ledger.settle(members, 10).map(([share]) => share?.[2] ?? 0),
    [24, 0],
  );
});

t.test('more keys than fit keep the default share', async (t) => {
  const ledger = new RateLedger(1, 10);
  ledger.noteWorker(
    1,
    Array.from({ length: 50 }, (_, key) => demand(5, 0, key)),
    0,
  );
  t.equal(ledger.size, 10);
});

t.test('a key that is pressed more takes the place of one that is pressed less', async (t) => {
  const ledger = new RateLedger(1, 10);
  const note = (requests: number, key: number) => ledger.noteWorker(1, [demand(requests, 0, key)], 0);
  for (let key = 0; key < 10; key += 1) note(5, key);
  const first = ledger.settle(FOUR, 0).flat();
  t.equal(first.length, 40);
  note(6, 99);
  const told = ledger.settle(FOUR, 0);
  const shares = new Map(told[0]!.map(([key, share]) => [key, share]));
  t.equal(shares.size, 2);
  t.ok((shares.get(99) ?? 0) > 0.95);
  const given = [...shares].find(([key]) => key !== 99);
  t.equal(given?.[1], null, 'the workers of the other one have the default share again');
  t.ok(told.every((list) => list.some(([key, share]) => key === given?.[0] && share === null)));
  t.equal(ledger.size, 10);
});

t.test('a flood of keys locks out nobody who is pressed more than they are', async (t) => {
  const ledger = new RateLedger(1);
  const flood = (from: number) => Array.from({ length: 1_000 }, (_, index) => demand(2, 0, from + index));
  for (let worker = 0; worker < 5; worker += 1) ledger.noteWorker(worker, flood(worker * 1_000), 0);
  t.equal(ledger.size, 4_096);
  ledger.noteWorker(1, [demand(3, 0, 77_777)], 0);
  for (let worker = 0; worker < 5; worker += 1) ledger.noteWorker(worker, flood(worker * 1_000), 0);
  const told = new Set<number>();
  for (let round = 0; round < 20; round += 1)
    for (const [key, share] of ledger.settle(FOUR, 0)[0]!) if (share !== null) told.add(key);
  t.ok(told.has(77_777));
});

t.test('who presses no more does not push out others, and what is long ago counts for nothing', async (t) => {
  const ledger = new RateLedger(1, 4);
  const note = (requests: number, key: number, nowMs: number) =>
    ledger.noteWorker(1, [demand(requests, 0, key)], nowMs);
  const shareOf = (key: number, nowMs: number) =>
    ledger.settle(FOUR, nowMs)[0]!.find(([told]) => told === key)?.[1] ?? null;
  for (let key = 0; key < 4; key += 1) note(50, key, 0);
  ledger.settle(FOUR, 0);
  note(50, 99, 1_000);
  t.equal(shareOf(99, 1_000), null);
  note(0, 99, 3_000);
  t.equal(shareOf(99, 3_000), null, 'nor does who has no requests');
  for (let key = 0; key < 4; key += 1) note(50, key, 3_000);
  for (let key = 0; key < 3; key += 1) note(50, key, 4_000);
  note(1, 99, 5_500);
  t.ok((shareOf(99, 5_500) ?? 0) > 0.95);
});

t.test('what makes room for others is bounded, too', async (t) => {
  const ledger = new RateLedger(1, 10);
  for (let round = 1; round <= 100; round += 1)
    for (let key = 0; key < 10; key += 1) ledger.noteWorker(1, [demand(round, 0, round * 10 + key)], 0);
  t.ok(ledger.size <= 20, `${ledger.size}`);
  ledger.settle(FOUR, 0);
  t.equal(ledger.size, 10);
});

t.test('thousands of keys are settled by and by, none is left out', async (t) => {
  const ledger = new RateLedger(1);
  ledger.noteWorker(
    1,
    Array.from({ length: 3_000 }, (_, key) => demand(5, 0, key)),
    0,
  );
  let rounds = 0;
  const told = new Set<number>();
  while (told.size < 3_000 && rounds < 20) {
    rounds += 1;
    const shares = ledger.settle(FOUR, 0);
    t.ok(shares.flat().length <= 2_048);
    for (const [key] of shares[0]!) told.add(key);
  }
  t.equal(told.size, 3_000);
});

t.test('other instances hear of the keys that are pressed most', async (t) => {
  const ledger = new RateLedger(1);
  ledger.noteWorker(
    1,
    Array.from({ length: 3_000 }, (_, key) => demand(1 + (key % 3), 0, key)),
    0,
  );
  const demands = ledger.takeDemands();
  t.equal(demands.length, 1_000);
  t.ok(demands.every(([, requests]) => requests === 3));
});
