/**
 * What must hold of any document before its meaning is looked at: plain data such as JSON can hold, of
 * bounded depth and size, without keys that could reach a prototype.
 */
import { childPointer } from './problem.ts';
import type { ProblemList } from './problem-list.ts';
import { finishSlices } from './slices.ts';

const MAX_DEPTH = 32;
/** Longer than any text of the schema may be, so that nothing costs by its mere length. */
const MAX_TEXT_LENGTH = 16_384;
/** Aliases of YAML can make a small file a huge document. */
const MAX_VALUES = 10_000_000;

/** About as many as 200 entries hold. */
const VALUES_PER_SLICE = 4_000;

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** `JSON.parse` keeps an own `__proto__`, which later code could take for the prototype itself. */
export function isForbiddenKey(key: string): boolean {
  return FORBIDDEN_KEYS.has(key);
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Reports everything in `value` that is not plain data, until the list is full; `pointer` is where it is in
 * the document. Returns false where it holds so much that it must not be looked at any further.
 */
export function checkPlainData(value: unknown, problems: ProblemList, pointer = ''): boolean {
  return finishSlices(checkPlainDataInSlices(value, problems, pointer));
}

/** The same as `checkPlainData`, in slices. */
export function* checkPlainDataInSlices(
  value: unknown,
  problems: ProblemList,
  pointer = '',
): Generator<void, boolean> {
  const walk = new PlainDataWalk(problems, pointer);
  walk.visit(value);
  while (!walk.isOver) {
    walk.advance(VALUES_PER_SLICE);
    yield;
  }
  return !walk.isTooLarge;
}

interface ListLevel {
  readonly list: readonly unknown[];
  readonly keys: null;
  readonly length: number;
  next: number;
}
interface ObjectLevel {
  readonly object: Record<string, unknown>;
  readonly keys: readonly string[];
  readonly length: number;
  next: number;
}
/** A list or an object that is being looked at: up to which of its values. */
type Level = ListLevel | ObjectLevel;

/** Keeps its own stack, so that it can pause anywhere and depth costs no calls. */
class PlainDataWalk {
  readonly #problems: ProblemList;
  readonly #pointer: string;
  /** The way to the value at hand; a pointer is only made of it where there is a problem. */
  readonly #levels: Level[] = [];
  #remainingValues = MAX_VALUES;

  constructor(problems: ProblemList, pointer: string) {
    this.#problems = problems;
    this.#pointer = pointer;
  }

  get isTooLarge(): boolean {
    return this.#remainingValues < 0;
  }

  get isOver(): boolean {
    return this.#levels.length === 0 || this.#problems.isFull || this.isTooLarge;
  }

  advance(steps: number): void {
    for (let remaining = steps; remaining > 0 && !this.isOver; remaining -= 1) {
      this.#step(this.#levels.at(-1)!);
    }
  }

  #step(level: Level): void {
    if (level.next === level.length) {
      this.#levels.pop();
      return;
    }
    const index = level.next;
    level.next += 1;
    if (level.keys === null) {
      this.visit(level.list[index]);
    } else {
      this.#visitProperty(level.object, level.keys[index]!);
    }
  }

  #visitProperty(object: Record<string, unknown>, key: string): void {
    if (isForbiddenKey(key)) {
      this.#report(`the name "${key}" is not allowed anywhere`, 'choose another name');
    } else if (key.length > MAX_TEXT_LENGTH) {
      this.#report(`the name is longer than ${MAX_TEXT_LENGTH} characters`);
    } else {
      this.visit(object[key]);
    }
  }

  /** Looks at a value, and remembers to look into it. */
  visit(value: unknown): void {
    this.#remainingValues -= 1;
    if (this.isTooLarge) {
      this.#problems.add(
        this.#pointer,
        `holds more than ${MAX_VALUES} values`,
        'split it, or use fewer YAML aliases',
      );
    } else if (typeof value === 'object' && value !== null) {
      this.#enter(value);
    } else {
      this.#checkScalar(value);
    }
  }

  #enter(value: object): void {
    if (this.#levels.length >= MAX_DEPTH) {
      this.#report(`is nested more than ${MAX_DEPTH} levels deep`, 'no part of a configuration is that deep');
    } else if (Array.isArray(value)) {
      this.#levels.push({ list: value, keys: null, length: value.length, next: 0 });
    } else if (isPlainObject(value)) {
      const keys = Object.keys(value);
      this.#levels.push({ object: value, keys, length: keys.length, next: 0 });
    } else {
      this.#report('must be plain data: an object, a list, a text, a number, true, false or null');
    }
  }

  #checkScalar(value: unknown): void {
    switch (typeof value) {
      case 'string':
        if (value.length > MAX_TEXT_LENGTH) {
          this.#report(`is longer than ${MAX_TEXT_LENGTH} characters`);
        }
        return;
      case 'number':
      case 'boolean':
      case 'object':
        return;
      case 'undefined':
        this.#report('is undefined', 'leave the key out');
        return;
      default:
        this.#report('must be plain data: an object, a list, a text, a number, true, false or null');
    }
  }

  #report(message: string, hint?: string): void {
    const tokens = this.#levels.map(({ keys, next }) => (keys === null ? next - 1 : keys[next - 1]!));
    this.#problems.add(tokens.reduce<string>(childPointer, this.#pointer), message, hint);
  }
}
