import type { HeaderTransform } from '../config/model.ts';

/** A route's `set`, `append` and `remove`, compiled: `remove` and `set` take away, `set` and `append` add. */
export class HeaderTransformer {
  readonly #removed: ReadonlySet<string>;
  readonly #added: readonly string[];
  /** The value that `set` gives to Host, which travels apart from the other fields. */
  readonly host: string | null;

  constructor(transform: HeaderTransform) {
    const set = Object.entries(transform.set ?? {});
    const append = Object.entries(transform.append ?? {});
    this.#removed = new Set([...(transform.remove ?? []), ...set.map(([name]) => name)].map(lowerCase));
    this.#added = [...set.filter(([name]) => lowerCase(name) !== 'host'), ...append].flat();
    this.host = set.find(([name]) => lowerCase(name) === 'host')?.[1] ?? null;
  }

  /** What it takes away, by name in lower case, and what it then adds. Host is apart. */
  describe(): { readonly remove: readonly string[]; readonly add: readonly (readonly [string, string])[] } {
    const add: [string, string][] = [];
    for (let index = 0; index < this.#added.length; index += 2) {
      add.push([this.#added[index]!, this.#added[index + 1]!]);
    }
    return { remove: [...this.#removed], add };
  }

  /** Transforms a flat list of names and values in place. */
  apply(headers: string[]): void {
    let kept = 0;
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index]!;
      if (this.#removed.size > 0 && this.#removed.has(name.toLowerCase())) continue;
      headers[kept++] = name;
      headers[kept++] = headers[index + 1]!;
    }
    headers.length = kept;
    for (const text of this.#added) headers.push(text);
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
