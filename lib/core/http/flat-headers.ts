/** Header lists as the wire has them: name, value, name, value, … */
import { isSeenAs } from './plain-name.ts';

/** Takes out all fields of these names, given in lower case. In place. */
export function removeFields(headers: string[], names: ReadonlySet<string>): void {
  let kept = 0;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    if (names.has(name.toLowerCase())) continue;
    headers[kept++] = name;
    headers[kept++] = headers[index + 1]!;
  }
  headers.length = kept;
}

/** Takes out all fields that are seen as one of these plain names: see `plainName`. In place. */
export function removeLookAlikes(headers: string[], plainNames: readonly string[]): void {
  let kept = 0;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    if (plainNames.some((plain) => isSeenAs(name, plain))) continue;
    headers[kept++] = name;
    headers[kept++] = headers[index + 1]!;
  }
  headers.length = kept;
}

/** Puts fields into a list in place of those of the same names; Vary is added to what is there. In place. */
export function replaceFields(headers: string[], fields: readonly string[]): void {
  if (fields.length === 0) return;
  const names = new Set<string>();
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase();
    if (name !== 'vary') names.add(name);
  }
  removeFields(headers, names);
  for (const text of fields) headers.push(text);
}

/** All values of a field; `name` in lower case. */
export function valuesOf(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const field = headers[index]!;
    if (field.length === name.length && field.toLowerCase() === name) values.push(headers[index + 1]!);
  }
  return values;
}

/** The value of a field that stands there exactly once; null where it is absent or repeated. */
export function singleValueOf(headers: readonly string[], name: string): string | null {
  const values = valuesOf(headers, name);
  return values.length === 1 ? values[0]! : null;
}
