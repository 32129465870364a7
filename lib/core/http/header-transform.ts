import type { HeaderTransform } from '../config/model.ts';

/** A route's `set`, `append` and `remove`, compiled: `remove` and `set` take away, `set` and `append` add. */
export class HeaderTransformer {
  /** In lower case. */
  readonly #removedNames: readonly string[];
  /** The same, made at the first use: of very many routes most see few requests. */
  #removed: ReadonlySet<string> | null = null;
  readonly #added: readonly string[];
  /** The value that `set` gives to Host, which travels apart from the other fields. */
  readonly host: string | null;

  constructor(transform: HeaderTransform) {
    const removed = (transform.remove ?? []).map(lowerCase);
    const added: string[] = [];
    let host: string | null = null;
    for (const [name, value] of Object.entries(transform.set ?? {})) {
      const key = lowerCase(name);
      removed.push(key);
      if (key === 'host') host ??= value;
      else added.push(name, value);
    }
    for (const [name, value] of Object.entries(transform.append ?? {})) added.push(name, value);
    // Copied, as a list that grew has room for many more.
    this.#removedNames = removed.slice();
    this.#added = added.slice();
    this.host = host;
  }

  /** What it takes away, by name in lower case, and what it then adds. Host is apart. */
  describe(): { readonly remove: readonly string[]; readonly add: readonly (readonly [string, string])[] } {
    const add: [string, string][] = [];
    for (let index = 0; index < this.#added.length; index += 2) {
      add.push([this.#added[index]!, this.#added[index + 1]!]);
    }
    return { remove: [...this.#setOfRemoved()], add };
  }

  /** Transforms a flat list of names and values in place. */
  apply(headers: string[]): void {
    const removed = this.#setOfRemoved();
    let kept = 0;
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index]!;
      if (removed.size > 0 && removed.has(name.toLowerCase())) continue;
      headers[kept++] = name;
      headers[kept++] = headers[index + 1]!;
    }
    headers.length = kept;
    for (const text of this.#added) headers.push(text);
  }

  #setOfRemoved(): ReadonlySet<string> {
    this.#removed ??= new Set(this.#removedNames);
    return this.#removed;
  }
}

function lowerCase(name: string): string {
  return name.toLowerCase();
}

/** Null where the transform changes nothing, so that the route pays nothing for it. */
export function compileHeaderTransform(transform: HeaderTransform | undefined): HeaderTransformer | null {
  if (transform === undefined) return null;
  const size =
    Object.keys(transform.set ?? {}).length +
    Object.keys(transform.append ?? {}).length +
    (transform.remove ?? []).length;
  return size === 0 ? null : new HeaderTransformer(transform);
}
