import { ActiveLoad } from './active-load.ts';
import type { BalancingPolicy } from './balancing-policy.ts';
import type { DestinationState } from './destination-state.ts';
import { buildMaglevTable, type MaglevTable } from './maglev-table.ts';
import type { Preview } from './preview.ts';
import { isTried } from './tried.ts';

/**
 * The same destination for the same hash, in every worker of every instance, as long as it has room.
 * Where to look is Maglev's table; who has room is "Consistent Hashing with Bounded Loads" (Mirrokni,
 * Thorup, Zadimoghaddam, 2018): with m requests in flight and this one, a destination takes no more than
 * ceil(loadBound · (m + 1) · weight / sum of weights) of them. A full one is passed over for the next on
 * the way through the table.
 */
export class ConsistentHashPolicy implements BalancingPolicy {
  readonly #loadBound: number;
  readonly #load: ActiveLoad;
  #usable: readonly DestinationState[] = [];
  /** The usable destinations by id: workers agree whatever order they learnt of them in. */
  #members: readonly DestinationState[] = [];
  #ids: readonly string[] = [];
  #weights: readonly number[] = [];
  #totalWeight = 0;
  #table: MaglevTable = new Uint16Array(0);
  #isStale = false;

  /** `load`: the requests in flight to the usable destinations, kept up to date by the owner. */
  constructor(loadBound: number, load: ActiveLoad) {
    this.#loadBound = loadBound;
    this.#load = load;
  }

  /** The table is built on the next pick, so that changes that follow each other cost one table. */
  update(usable: readonly DestinationState[]): void {
    this.#usable = usable;
    this.#isStale = true;
  }

  pick(hash: number, tried: readonly DestinationState[] | null): DestinationState | null {
    if (this.#isStale) this.#refreshTable();
    const firstUntried = findUntried(this.#members, tried);
    if (firstUntried === null) return null;
    // Not all can be full, as the bound is above the mean, but all those not tried yet can.
    const isBounded = tried === null || this.#hasRoomAmongUntried(tried);
    const table = this.#table;
    let slot = (hash >>> 0) % table.length;
    for (let step = 0; step < table.length; step++) {
      const member = this.#members[table[slot]!]!;
      if (!isTried(tried, member) && (!isBounded || this.#hasRoom(member))) return member;
      slot = slot + 1 < table.length ? slot + 1 : 0;
    }
    // Reached only with more members than slots.
    return firstUntried;
  }

  preview(hash: number, usable: readonly DestinationState[]): Preview {
    // A pick changes nothing here, but for a table that may be built sooner than the next request needs it.
    const policy = usable === this.#usable ? this : this.#copyFor(usable);
    const destination = policy.pick(hash, null)!;
    const home = policy.#members[policy.#table[(hash >>> 0) % policy.#table.length]!]!;
    const reason =
      destination === home
        ? 'the hash points at it'
        : `the hash points at ${home.id}, which has its share of requests in flight, and this one comes next`;
    return { destination, certain: true, reason };
  }

  /** The policy as it would be with other members. The table is shared: it is never changed, only replaced. */
  #copyFor(usable: readonly DestinationState[]): ConsistentHashPolicy {
    const load = new ActiveLoad();
    load.active = usable.reduce((sum, member) => sum + member.active, 0);
    const copy = new ConsistentHashPolicy(this.#loadBound, load);
    copy.#ids = this.#ids;
    copy.#weights = this.#weights;
    copy.#totalWeight = this.#totalWeight;
    copy.#table = this.#table;
    copy.update(usable);
    return copy;
  }

  #hasRoom(member: DestinationState): boolean {
    const fairShare = ((this.#load.active + 1) * member.weight) / this.#totalWeight;
    return member.active < Math.ceil(this.#loadBound * fairShare);
  }

  #hasRoomAmongUntried(tried: readonly DestinationState[]): boolean {
    return this.#members.some((member) => !tried.includes(member) && this.#hasRoom(member));
  }

  #refreshTable(): void {
    this.#isStale = false;
    this.#members = [...this.#usable].sort((left, right) => (left.id < right.id ? -1 : 1));
    const ids = this.#members.map((member) => member.id);
    const weights = this.#members.map((member) => member.weight);
    if (isSameList(ids, this.#ids) && isSameList(weights, this.#weights)) return;
    this.#ids = ids;
    this.#weights = weights;
    this.#totalWeight = weights.reduce((sum, weight) => sum + weight, 0);
    if (ids.length > 0) this.#table = buildMaglevTable(ids, weights);
  }
}

function findUntried(
  members: readonly DestinationState[],
  tried: readonly DestinationState[] | null,
): DestinationState | null {
  for (const member of members) {
    if (!isTried(tried, member)) return member;
  }
  return null;
}

function isSameList(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
