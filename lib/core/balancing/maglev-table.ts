import { hashString } from './hash.ts';
import { WeightedTurns } from './weighted-turns.ts';

/**
 * Prime, so that every member's preferences visit every slot. The smaller size of the paper, which asks for
 * a hundred slots a member: beyond 655 members shares grow uneven, with 10,000 some have 6 slots, some 7.
 */
export const TABLE_SIZE = 65_537;

const SKIP_SEED = 0x9747b28c;
const MAX_SMALL_INDEX = 0xffff;

export type MaglevTable = Uint16Array | Uint32Array;

/**
 * Builds the look-up table of Maglev hashing (Eisenbud and others, "Maglev: A Fast and Reliable Software
 * Network Load Balancer", NSDI 2016, §3.4): a slot holds the index of a member. Every member has its
 * own order of preference over all slots, and they take turns, by weight, in taking the next slot
 * that is free:
 *
 *     member   prefers slots        turn   1  2  3  4  5  …
 *     a        3 0 4 1 …            takes  a3 b0 b2 a4 a1
 *     b        0 2 4 …                        (a passes over 0, which b has taken)
 *
 * The table depends on nothing but the members and their order: sort them by id, and every worker of
 * every instance has the same one. Each of up to 65,537 members has at least one slot.
 *
 * @param ids of the members, at least one
 * @param weights of the members, positive integers
 */
export function buildMaglevTable(ids: readonly string[], weights: readonly number[]): MaglevTable {
  const slots = ids.length <= MAX_SMALL_INDEX ? new Uint16Array(TABLE_SIZE) : new Uint32Array(TABLE_SIZE);
  const isTaken = new Uint8Array(TABLE_SIZE);
  const nextSlots = Int32Array.from(ids, (id) => hashString(id) % TABLE_SIZE);
  const skips = Int32Array.from(ids, (id) => (hashString(id, SKIP_SEED) % (TABLE_SIZE - 1)) + 1);
  const turns = new WeightedTurns(weights, TABLE_SIZE);
  for (let filled = 0; filled < TABLE_SIZE; filled++) {
    const member = turns.next();
    const skip = skips[member]!;
    let slot = nextSlots[member]!;
    while (isTaken[slot] === 1) slot = advanceSlot(slot, skip);
    isTaken[slot] = 1;
    slots[slot] = member;
    nextSlots[member] = advanceSlot(slot, skip);
  }
  return slots;
}

function advanceSlot(slot: number, skip: number): number {
  const next = slot + skip;
  return next < TABLE_SIZE ? next : next - TABLE_SIZE;
}
