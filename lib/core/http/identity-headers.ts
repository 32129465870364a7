import { LONGEST_REMEMBERED_NAME, plainName } from './plain-name.ts';

/** Names come from clients: what is remembered of them is bounded. */
const MAX_REMEMBERED = 2_000;

/**
 * The fields by which the gateway tells origins who a client is. No client may send them, on any route, nor a
 * look-alike such as `X_User_Id`.
 */
export class IdentityHeaders {
  readonly #names: ReadonlySet<string>;
  readonly #remembered = new Map<string, boolean>();

  /** @param names in any spelling */
  constructor(names: Iterable<string>) {
    this.#names = new Set([...names].map(plainName));
  }

  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  has(name: string): boolean {
    const known = this.#remembered.get(name);
    if (known !== undefined) return known;
    const isOne = this.#names.has(plainName(name));
    if (this.#remembered.size < MAX_REMEMBERED && name.length <= LONGEST_REMEMBERED_NAME)
      this.#remembered.set(name, isOne);
    return isOne;
  }
}

export const NO_IDENTITY_HEADERS = new IdentityHeaders([]);
