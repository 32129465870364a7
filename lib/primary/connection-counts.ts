/** How many connections clients have, counted where they are accepted: workers know of their own alone. */
import { addressKey } from '../core/policy/address-key.ts';
import { AddressSet } from '../core/policy/address-ranges.ts';
import type { ConnectionLimits } from './gateway-settings.ts';

/** How many connections there are, by the key of the peer's address. */
type Held = Map<string, number>;

/** Counts by holder: a worker, or whoever keeps connections until a worker takes them. */
export class ConnectionCounts {
  readonly #limits: ConnectionLimits;
  readonly #exempt: AddressSet;
  readonly #byAddress: Held = new Map();
  readonly #byHolder = new Map<object, Held>();
  #total = 0;

  /** @param exempt peers that speak for many clients: trusted proxies */
  constructor(limits: ConnectionLimits, exempt: readonly string[]) {
    this.#limits = limits;
    this.#exempt = new AddressSet(exempt);
  }

  get total(): number {
    return this.#total;
  }

  /** Whether one more connection of this address may be. */
  hasRoomFor(address: string): boolean {
    const { total, perAddress } = this.#limits;
    if (total > 0 && this.#total >= total) return false;
    if (perAddress === 0 || (this.#byAddress.get(addressKey(address)) ?? 0) < perAddress) return true;
    return this.#exempt.has(address);
  }

  /** A holder has got a connection. */
  open(holder: object, address: string): void {
    const key = addressKey(address);
    let held = this.#byHolder.get(holder);
    if (held === undefined) {
      held = new Map();
      this.#byHolder.set(holder, held);
    }
    add(held, key, 1);
    add(this.#byAddress, key, 1);
    this.#total += 1;
  }

  /** A holder has connections no more, one entry each. */
  close(holder: object, addresses: readonly string[]): void {
    const held = this.#byHolder.get(holder);
    for (const address of addresses) {
      const key = addressKey(address);
      // What a worker says of connections that it never had must not make room for others.
      if (held?.has(key) !== true) continue;
      add(held, key, -1);
      add(this.#byAddress, key, -1);
      this.#total -= 1;
    }
  }

  /** A holder is gone, and its connections with it. */
  forget(holder: object): void {
    for (const [key, count] of this.#byHolder.get(holder) ?? []) {
      add(this.#byAddress, key, -count);
      this.#total -= count;
    }
    this.#byHolder.delete(holder);
  }
}

/** Changes a count; what falls to nothing takes no room. */
function add(counts: Held, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
