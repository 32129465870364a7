import { childPointer } from '../config/problem.ts';
import { quoteText } from '../config/quote-text.ts';
import type { NoteList } from './note-list.ts';

/** One value of a list or a dictionary. */
export interface SectionItem {
  /** Its name in a dictionary, its index in a list. */
  readonly key: string;
  readonly value: unknown;
  readonly pointer: string;
}

/**
 * Reads a section as the configuration of .NET does: keys count in any letter case, every scalar is a text,
 * a list may be an object with its indices as keys, and null is nothing. What is not of the expected form
 * is noted; so is, at the end, every key that nobody asked for, so that nothing is passed over silently.
 */
export class SectionReader {
  readonly pointer: string;
  readonly notes: NoteList;
  /** By the key in lower case. */
  readonly #items = new Map<string, SectionItem>();
  readonly #unread = new Set<string>();

  /** A value that is no object or list is noted, and read as an empty section. */
  constructor(value: unknown, pointer: string, notes: NoteList) {
    this.pointer = pointer;
    this.notes = notes;
    const items = listItems(value, pointer);
    if (items === null) this.notes.add(pointer, 'is not a section: it was left out');
    for (const item of items ?? []) this.#addItem(item);
  }

  #addItem(item: SectionItem): void {
    const name = item.key.toLowerCase();
    if (this.#items.has(name)) {
      this.notes.add(item.pointer, 'is there already, in another letter case: the first one is used');
    } else if (item.value !== null && item.value !== undefined) {
      this.#items.set(name, item);
      this.#unread.add(name);
    }
  }

  has(name: string): boolean {
    return this.#items.has(name.toLowerCase());
  }

  /** Where a value is, or would be. */
  pointerOf(name: string): string {
    return this.#items.get(name.toLowerCase())?.pointer ?? childPointer(this.pointer, name);
  }

  note(name: string, message: string): void {
    this.notes.add(this.pointerOf(name), message);
  }

  /** A text, which may be empty; null where there is none. */
  text(name: string): string | null {
    const item = this.#take(name);
    if (item === null) return null;
    if (typeof item.value === 'object') {
      this.notes.add(item.pointer, 'is not a single value: it was left out');
      return null;
    }
    return String(item.value);
  }

  /** A text that is not empty; null where there is none. */
  filledText(name: string): string | null {
    return this.text(name) || null;
  }

  /** One that is beyond what a number can hold exactly becomes the last that is not. */
  integer(name: string): number | null {
    const text = this.filledText(name);
    if (text === null) return null;
    if (/^[+-]?\d{1,19}$/.test(text)) return clampInteger(Number(text));
    this.note(name, `${quoteText(text)} is no integer: it was left out`);
    return null;
  }

  /** False where there is none. */
  flag(name: string): boolean {
    const text = this.filledText(name)?.toLowerCase() ?? 'false';
    if (text !== 'true' && text !== 'false') {
      this.note(name, `${quoteText(text)} is neither true nor false: it was left out`);
    }
    return text === 'true';
  }

  section(name: string): SectionReader | null {
    const item = this.#take(name);
    return item === null ? null : new SectionReader(item.value, item.pointer, this.notes);
  }

  /** The values of a list or dictionary; none where there is none. */
  items(name: string): readonly SectionItem[] {
    const item = this.#take(name);
    if (item === null) return [];
    const items = listItems(item.value, item.pointer);
    if (items === null) this.notes.add(item.pointer, 'is neither a list nor an object: it was left out');
    return items ?? [];
  }

  /** A list of texts. */
  texts(name: string): readonly { readonly text: string; readonly pointer: string }[] {
    return this.items(name).flatMap(({ value, pointer }) => {
      if (typeof value === 'object') {
        if (value !== null) this.notes.add(pointer, 'is not a single value: it was left out');
        return [];
      }
      return [{ text: String(value), pointer }];
    });
  }

  /** Passes over what has the same effect here without being said. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#unread.delete(name.toLowerCase());
  }

  /** Notes every key that was not asked for. */
  noteUnread(): void {
    for (const name of this.#unread) {
      const item = this.#items.get(name);
      if (item !== undefined && !isEmpty(item.value)) {
        this.notes.add(item.pointer, 'has no counterpart: it was left out');
      }
    }
    this.#unread.clear();
  }

  #take(name: string): SectionItem | null {
    this.#unread.delete(name.toLowerCase());
    return this.#items.get(name.toLowerCase()) ?? null;
  }
}

/** The values within; null where it is neither a list nor an object. */
function listItems(value: unknown, pointer: string): readonly SectionItem[] | null {
  if (typeof value !== 'object' || value === null) return null;
  return Object.entries(value).map(([key, item]) => ({
    key,
    value: item as unknown,
    pointer: childPointer(pointer, key),
  }));
}

function clampInteger(value: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, value));
}

function isEmpty(value: unknown): boolean {
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}
