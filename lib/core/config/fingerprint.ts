/**
 * Fingerprints of content: equal ones mean equal configurations, whatever the way that led there. They
 * find what went wrong by accident; they are no defence against somebody who makes two contents alike.
 */
import type { Kind } from './model.ts';
import { TextHash } from './text-hash.ts';

const LOW_RANGE = 2 ** 32;
/** With the 32 low bits that makes 53: what a number holds exactly. */
const HIGH_BITS = 21;

/** What JSON writes between quotes as it stands there: no quote, backslash, control character or surrogate. */
const PLAIN_TEXT = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** One for all entries: no text of an entry is ever put together. */
const text = new TextHash();

/**
 * The hash of one entry, an integer of 53 bits without sign. It depends on the kind, the id and the content
 * alone: values that `equalValues` takes for equal hash alike, whatever the order of their keys.
 */
export function hashEntry(kind: Kind, id: string, value: unknown): number {
  text.begin();
  text.add(kind);
  text.add(' ');
  text.add(id);
  text.add(' ');
  addCanonical(value);
  return (text.high() >>> (32 - HIGH_BITS)) * LOW_RANGE + text.low();
}

/** JSON with the keys of objects sorted by code units, a comma after each value, and no blanks; close to RFC 8785. */
function addCanonical(value: unknown): void {
  if (typeof value === 'string') {
    addQuoted(value);
  } else if (typeof value !== 'object' || value === null) {
    text.add(String(JSON.stringify(value)));
  } else if (Array.isArray(value)) {
    addList(value);
  } else {
    addObject(value as Record<string, unknown>);
  }
}

function addList(list: readonly unknown[]): void {
  text.add('[');
  for (const [index, item] of list.entries()) {
    if (index > 0) {
      text.add(',');
    }
    addCanonical(item);
  }
  text.add(']');
}

function addObject(object: Record<string, unknown>): void {
  text.add('{');
  for (const key of Object.keys(object).sort()) {
    addQuoted(key);
    text.add(':');
    addCanonical(object[key]);
    text.add(',');
  }
  text.add('}');
}

function addQuoted(string: string): void {
  if (!PLAIN_TEXT.test(string)) {
    text.add(JSON.stringify(string));
    return;
  }
  text.add('"');
  text.add(string);
  text.add('"');
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
