/**
 * Parts of the documented format that this version does not have yet. They are refused and never passed
 * over, because a policy that somebody configured must not be silently missing.
 */
import { isPlainObject } from './plain-data.ts';

const LATER_PART_POINTER = /^\/(issuers|certificates|routes\/[^/]+\/auth)$/;
const LATER_SECTIONS = ['issuers', 'certificates'] as const;

export const LATER_PART_HINT = 'take it out: it would have no effect';

/** Whether the key at this JSON Pointer is a part that comes later. */
export function isLaterPart(pointer: string): boolean {
  return LATER_PART_POINTER.test(pointer);
}

/** The document without those later sections that are there but empty, which ask for nothing. */
export function omitEmptyLaterSections(document: unknown): unknown {
  if (!isPlainObject(document)) {
    return document;
  }
  const empty = LATER_SECTIONS.filter((name) => isEmptySection(document, name));
  if (empty.length === 0) {
    return document;
  }
  const kept = { ...document };
  for (const name of empty) {
    delete kept[name];
  }
  return kept;
}

function isEmptySection(document: Record<string, unknown>, name: string): boolean {
  const section = Object.hasOwn(document, name) ? document[name] : undefined;
  return isPlainObject(section) && Object.keys(section).length === 0;
}
