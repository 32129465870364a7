/** A value that a consumer claims a name for. */
interface Claim<T> {
  readonly id: string;
  readonly value: T;
}

/**
 * Finds values by names that should each be claimed once. Where several claim one name, the claim with the least
 * id counts, and when that goes, the next: the order in which they come and go makes no difference.
 */
export class RivalTable<T> {
  /** A list, in the order of ids, only where there are rivals, which is a mistake of the configuration. */
  readonly #claims = new Map<string, Claim<T> | Claim<T>[]>();

  find(name: string): T | null {
    const claims = this.#claims.get(name);
    if (claims === undefined) return null;
    return Array.isArray(claims) ? (claims[0]?.value ?? null) : claims.value;
  }

  /** An id claims a name once: take its claim away before it makes another. */
  add(name: string, id: string, value: T): void {
    const claims = this.#claims.get(name);
    const claim = { id, value };
    if (claims === undefined) this.#claims.set(name, claim);
    else if (Array.isArray(claims)) claims.splice(findPosition(claims, id), 0, claim);
    else this.#claims.set(name, claims.id < id ? [claims, claim] : [claim, claims]);
  }

  /** Does nothing where the id does not claim the name. */
  remove(name: string, id: string): void {
    const claims = this.#claims.get(name);
    if (Array.isArray(claims)) this.#removeRival(name, claims, id);
    else if (claims?.id === id) this.#claims.delete(name);
  }

  #removeRival(name: string, claims: Claim<T>[], id: string): void {
    const position = findPosition(claims, id);
    if (claims[position]?.id === id) claims.splice(position, 1);
    if (claims.length === 1) this.#claims.set(name, claims[0]!);
  }
}

/** Binary search: the first position whose id is not less than this. */
function findPosition<T>(claims: readonly Claim<T>[], id: string): number {
  let low = 0;
  let high = claims.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (claims[middle]!.id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
