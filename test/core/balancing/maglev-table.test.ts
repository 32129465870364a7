import t from 'tap';
import { buildMaglevTable, type MaglevTable, TABLE_SIZE } from '../../../lib/core/balancing/maglev-table.ts';

const idsOf = (count: number) => Array.from({ length: count }, (_, index) => `orders-${index}`).sort();
const equalWeights = (ids: readonly string[]) => ids.map(() => 1);

function countSlots(table: MaglevTable, members: number): number[] {
  const counts = new Array<number>(members).fill(0);
  for (const member of table) counts[member]! += 1;
  return counts;
}

t.test('every slot is taken, and equal members have equally many but for one', async (t) => {
  for (const count of [1, 2, 3, 10, 1_000]) {
    const ids = idsOf(count);
    const table = buildMaglevTable(ids, equalWeights(ids));
    t.equal(table.length, TABLE_SIZE);
    const counts = countSlots(table, count);
    t.ok(Math.max(...counts) - Math.min(...counts) <= 1, `${count} members`);
  }
});

t.test('slots stand in proportion to the weights', async (t) => {
  const weights = [1, 2, 3, 4, 90];
  const counts = countSlots(buildMaglevTable(idsOf(5), weights), 5);
  for (const [index, weight] of weights.entries()) {
    t.ok(Math.abs(counts[index]! - (weight / 100) * TABLE_SIZE) <= 4, `weight ${weight}`);
  }
});

t.test('the lightest member among the heaviest still has a slot', async (t) => {
  const ids = idsOf(21);
  const weights = ids.map((_id, index) => (index === 20 ? 1 : 10_000));
  t.ok(countSlots(buildMaglevTable(ids, weights), 21)[20]! >= 1);
});

t.test('removing one of n members moves its own keys and few others', async (t) => {
  for (const count of [3, 10, 100]) {
    const ids = idsOf(count);
    const before = buildMaglevTable(ids, equalWeights(ids));
    const removed = count >> 1;
    const idsLeft = ids.filter((_id, index) => index !== removed);
    const after = buildMaglevTable(idsLeft, equalWeights(idsLeft));
    let moved = 0;
    for (let slot = 0; slot < TABLE_SIZE; slot++) {
      if (ids[before[slot]!] !== idsLeft[after[slot]!]) moved += 1;
    }
    const share = moved / TABLE_SIZE;
    t.ok(share >= 1 / count - 0.001, 'its own keys have to move');
    t.ok(share < 1 / count + 0.03, `of ${count} members: ${(share * 100).toFixed(1)} % of the keys moved`);
  }
});

t.test('doubling one weight of ten leaves most keys where they are', async (t) => {
  const ids = idsOf(10);
  const before = buildMaglevTable(ids, equalWeights(ids));
  const after = buildMaglevTable(
    ids,
    ids.map((_id, index) => (index === 4 ? 2 : 1)),
  );
  let moved = 0;
  for (let slot = 0; slot < TABLE_SIZE; slot++) {
    if (before[slot] !== after[slot]) moved += 1;
  }
  t.ok(moved / TABLE_SIZE < 0.2, `${((moved / TABLE_SIZE) * 100).toFixed(1)} % moved`);
});

t.test('the table is the same in every version: instances that are updated one by one agree', async (t) => {
  const table = buildMaglevTable(['orders-1', 'orders-2', 'orders-3'], [1, 1, 2]);
  let checksum = 0;
  for (const member of table) checksum = (Math.imul(checksum, 31) + member) | 0;
  t.equal(checksum, 2_038_867_658);
});

t.test('more members than fit into 16 bits are told apart', async (t) => {
  const ids = idsOf(65_537);
  const table = buildMaglevTable(ids, equalWeights(ids));
  t.equal(new Set(table).size, 65_537);
});
