import { ID_PATTERN } from '../config/patterns.ts';
import { isForbiddenKey } from '../config/plain-data.ts';
import { matchesPattern } from '../config/schema-node.ts';

/** Leaves room for a number at the end. */
const MAX_BASE_LENGTH = 112;

/**
 * An id for each name, all different: the name itself where it fits our pattern, otherwise one that looks
 * like it. `fallback` is for names of which nothing can be kept.
 */
export function assignIds(names: readonly string[], fallback: string): readonly string[] {
  const taken = new Set<string>();
  const ids = names.map((name) => {
    const isFree = matchesPattern(ID_PATTERN, name) && !isForbiddenKey(name) && !taken.has(name);
    if (isFree) taken.add(name);
    return isFree ? name : null;
  });
  const nextNumbers = new Map<string, number>();
  return ids.map((id, index) => id ?? findFreeId(baseOf(names[index] ?? '', fallback), taken, nextNumbers));
}

function baseOf(name: string, fallback: string): string {
  const base = name
    .slice(0, MAX_BASE_LENGTH)
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '');
  return base === '' || isForbiddenKey(base) ? `${fallback}${base === '' ? '' : `-${base}`}` : base;
}

/** `nextNumbers` spares many names of one base the search from the start. */
function findFreeId(base: string, taken: Set<string>, nextNumbers: Map<string, number>): string {
  let number = nextNumbers.get(base) ?? 1;
  let id = number === 1 ? base : `${base}-${number}`;
  while (taken.has(id)) {
    number += 1;
    id = `${base}-${number}`;
  }
  nextNumbers.set(base, number + 1);
  taken.add(id);
  return id;
}
