/**
 * The text of `JSON.stringify(value)` in pieces, so that whoever writes it can pause in between: what is
 * `depth` levels below the value is never taken apart. The value must be plain JSON, with nothing undefined.
 */
export function* jsonPieces(value: unknown, depth: number): Generator<string> {
  if (depth === 0 || typeof value !== 'object' || value === null) {
    yield JSON.stringify(value);
  } else if (Array.isArray(value)) {
    yield* listPieces(value, depth);
  } else {
    yield* objectPieces(Object.keys(value), Object.values(value), depth);
  }
}

/** The text of the object with these keys and values. */
export function* objectPieces(
  keys: readonly string[],
  values: readonly unknown[],
  depth: number,
): Generator<string> {
  if (keys.length === 0) yield '{';
  for (const [index, key] of keys.entries()) {
    yield `${index === 0 ? '{' : ','}${JSON.stringify(key)}:`;
    yield* jsonPieces(values[index], depth - 1);
  }
  yield '}';
}

function* listPieces(items: readonly unknown[], depth: number): Generator<string> {
  if (items.length === 0) yield '[';
  for (const [index, item] of items.entries()) {
    yield index === 0 ? '[' : ',';
    yield* jsonPieces(item, depth - 1);
  }
  yield ']';
}
