/**
 * Fingerprints of content: equal ones mean equal configurations, whatever the way that led there. They
 * find what went wrong by accident; they are no defence against somebody who makes two contents alike.
 */
import { hashString } from '../balancing/hash.ts';
import type { Kind } from './model.ts';

const LOW_SEED = 0x0f1e2d3c;
const HIGH_SEED = 0x5a6b7c8d;
const LOW_RANGE = 2 ** 32;
/** With the 32 low bits that makes 53: what a number holds exactly. */
const HIGH_BITS = 21;

/**
 * The hash of one entry, an integer of 53 bits without sign. It depends on the kind, the id and the content
 * alone: values that `equalValues` takes for equal hash alike, whatever the order of their keys.
 */
export function hashEntry(kind: Kind, id: string, value: unknown): number {
  const text = `${kind} ${id} ${canonicalText(value)}`;
  return (hashString(text, HIGH_SEED) >>> (32 - HIGH_BITS)) * LOW_RANGE + hashString(text, LOW_SEED);
}

/** JSON with the keys of objects sorted by code units, and no blanks; close to RFC 8785. */
function canonicalText(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value);
  }
  return Array.isArray(value)
    ? `[${value.map(canonicalText).join()}]`
    : canonicalObject(value as Record<string, unknown>);
}

function canonicalObject(object: Record<string, unknown>): string {
  let text = '{';
  for (const key of Object.keys(object).sort()) {
    text += `${JSON.stringify(key)}:${canonicalText(object[key])},`;
  }
  return `${text}}`;
}

/**
 * The fingerprint of a set of entries, kept as they come and go: the sum of their hashes. Sums do not mind
 * the order, and what is taken out leaves no trace. The halves are summed apart, since a number would not
 * hold the whole sum exactly.
 */
export class ContentFingerprint {
  #low = 0;
  #high = 0;

  /** Adds an entry by its `hashEntry`. */
  add(hash: number): void {
    this.#low = (this.#low + (hash % LOW_RANGE)) % LOW_RANGE;
    this.#high = (this.#high + Math.floor(hash / LOW_RANGE)) % 2 ** HIGH_BITS;
  }

  /** Takes out an entry that was added, by the same hash. */
  remove(hash: number): void {
    this.#low = (this.#low - (hash % LOW_RANGE) + LOW_RANGE) % LOW_RANGE;
    this.#high = (this.#high - Math.floor(hash / LOW_RANGE) + 2 ** HIGH_BITS) % 2 ** HIGH_BITS;
  }

  /** 14 hexadecimal digits, all zero for no entries. */
  toString(): string {
    return this.#high.toString(16).padStart(6, '0') + this.#low.toString(16).padStart(8, '0');
  }
}
