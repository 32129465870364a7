/** The worker's side of materials: what the primary got from files, variables and key servers, by name. */

/** How long whoever needs a material waits for the first word on it, or for a newer one. */
const WAIT_LIMIT_MS = 2_000;
/** So many may wait for one material; more do without. */
const MOST_WAITING = 1_000;

/** What the primary says: null where it could not be got. */
export interface MaterialValue {
  readonly name: string;
  readonly value: string | null;
}

/**
 * One material. Whoever uses it keeps this object, and compares `value` with what it was made from: a changed
 * one needs no announcement.
 */
export class Material {
  readonly name: string;
  /** Undefined until the primary has said something of it; null where it could not be got. */
  value: string | null | undefined = undefined;
  #waiting = new Set<() => void>();

  constructor(name: string) {
    this.name = name;
  }

  /** Resolves at the primary's next word on it, or after two seconds. */
  async next(): Promise<void> {
    if (this.#waiting.size >= MOST_WAITING) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, WAIT_LIMIT_MS);
      this.#waiting.add(done);
    });
  }

  /** Wakes up whoever waits: nothing newer will come for now. */
  settle(): void {
    for (const done of this.#waiting) done();
  }
}

/** All materials of a worker. One that nobody asks for any more stays until the primary says that it is gone. */
export class Materials {
  readonly #materials = new Map<string, Material>();
  readonly #askForNewer: (name: string) => void;

  /** @param askForNewer tells the primary that a material may be out of date; `settle` follows */
  constructor(askForNewer: (name: string) => void) {
    this.#askForNewer = askForNewer;
  }

  get(name: string): Material {
    let material = this.#materials.get(name);
    if (material === undefined) {
      material = new Material(name);
      this.#materials.set(name, material);
    }
    return material;
  }

  /** Takes what the primary says. */
  take(values: readonly MaterialValue[]): void {
    for (const { name, value } of values) {
      const material = this.get(name);
      material.value = value;
      material.settle();
    }
  }

  /** The primary has got these anew, or will not: there is nothing to wait for. */
  settle(name: string): void {
    this.#materials.get(name)?.settle();
  }

  /** No entry refers to these any more. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#materials.delete(name);
  }

  /** Asks the primary for a newer one and waits for its answer, for two seconds at most. */
  async refresh(material: Material): Promise<void> {
    this.#askForNewer(material.name);
    await material.next();
  }
}
