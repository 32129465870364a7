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
  readonly #forWord = new Waiters<void>();
  readonly #forAnswer = new Waiters<boolean>();

  constructor(name: string) {
    this.name = name;
  }

  /** Resolves at the primary's next word on it, or after two seconds. */
  async next(): Promise<void> {
    await this.#forWord.next(undefined);
  }

  /** Resolves when the primary has answered a question for a newer one: whether it looked. False after two seconds. */
  answer(): Promise<boolean> {
    return this.#forAnswer.next(false);
  }

  take(value: string | null): void {
    this.value = value;
    this.#forWord.wake(undefined);
  }

  /** Wakes up whoever waits: nothing newer will come for now. */
  settle(hasLooked: boolean): void {
    this.#forWord.wake(undefined);
    this.#forAnswer.wake(hasLooked);
  }
}

/** Those who wait for the same word, each for two seconds at most. */
class Waiters<Word> {
  readonly #waiting = new Set<(word: Word) => void>();

  /** @param otherwise the word for who has waited in vain, or may not wait */
  async next(otherwise: Word): Promise<Word> {
    if (this.#waiting.size >= MOST_WAITING) return otherwise;
    return new Promise((resolve) => {
      const done = (word: Word): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve(word);
      };
      const timer = setTimeout(done, WAIT_LIMIT_MS, otherwise);
      this.#waiting.add(done);
    });
  }

  wake(word: Word): void {
    for (const done of this.#waiting) done(word);
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
    for (const { name, value } of values) this.get(name).take(value);
  }

  /**
   * The primary has answered a question for a newer one, and whatever is newer has been taken.
   * @param hasLooked whether it got the material anew since it was asked; if not, there may be a newer one all the same
   */
  settle(name: string, hasLooked: boolean): void {
    this.#materials.get(name)?.settle(hasLooked);
  }

  /** No entry refers to these any more. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#materials.delete(name);
  }

  /** Asks the primary for a newer one, and says whether it has looked for one: false also where it says nothing in two seconds. */
  refresh(material: Material): Promise<boolean> {
    const answer = material.answer();
    this.#askForNewer(material.name);
    return answer;
  }
}
