/** Knows which methods each path has: the difference between "no such thing" and "not in that way". */
export class AllowedMethods {
  readonly #methodsByPattern = new Map<string, Set<string>>();

  /** `pattern` as routes are written: `/routes/:id`. */
  add(pattern: string, methods: readonly string[]): void {
    const known = this.#methodsByPattern.get(pattern) ?? new Set();
    for (const method of methods) known.add(method);
    this.#methodsByPattern.set(pattern, known);
  }

  /** The methods of a request target, sorted; none where nothing is there. */
  find(target: string): readonly string[] {
    const [path = ''] = target.split('?', 1);
    const methods = new Set<string>();
    for (const [pattern, known] of this.#methodsByPattern) {
      if (matches(pattern, path)) for (const method of known) methods.add(method);
    }
    return [...methods].sort();
  }
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) =>
      segment.startsWith(':') ? given[index] !== '' : segment === given[index],
    )
  );
}
