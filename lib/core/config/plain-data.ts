/**
 * What must hold of any document before its meaning is looked at: plain data such as JSON can hold, of
 * bounded depth and size, without keys that could reach a prototype.
 */
import { childPointer } from './problem.ts';
import type { ProblemList } from './problem-list.ts';

const MAX_DEPTH = 32;
/** Longer than any text of the schema may be, so that nothing costs by its mere length. */
const MAX_TEXT_LENGTH = 16_384;
/** Aliases of YAML can make a small file a huge document. */
const MAX_VALUES = 10_000_000;

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
 * Reports everything in `document` that is not plain data, until the list is full. Returns false where the
 * document holds so much that it must not be looked at any further.
 */
export function checkPlainData(document: unknown, problems: ProblemList): boolean {
  const check = new PlainDataCheck(problems);
  check.visit(document);
  return !check.isTooLarge;
}

class PlainDataCheck {
  readonly #problems: ProblemList;
  /** The way to the value at hand; a pointer is only made of it where there is a problem. */
  readonly #path: (string | number)[] = [];
  #remainingValues = MAX_VALUES;

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  get isTooLarge(): boolean {
    return this.#remainingValues < 0;
  }

  visit(value: unknown): void {
    if (this.#problems.isFull || this.isTooLarge) {
      return;
    }
    this.#remainingValues -= 1;
    if (this.isTooLarge) {
      this.#problems.add('', `holds more than ${MAX_VALUES} values`, 'split it, or use fewer YAML aliases');
    } else if (typeof value === 'object' && value !== null) {
      this.#visitContainer(value);
    } else {
      this.#checkScalar(value);
    }
  }

  #visitContainer(value: object): void {
    if (this.#path.length >= MAX_DEPTH) {
      this.#report(`is nested more than ${MAX_DEPTH} levels deep`, 'no part of a configuration is that deep');
    } else if (Array.isArray(value)) {
      this.#visitEntries(value);
    } else if (isPlainObject(value)) {
      this.#visitProperties(value);
    } else {
      this.#report('must be plain data: an object, a list, a text, a number, true, false or null');
    }
  }

  #visitEntries(list: readonly unknown[]): void {
    for (let index = 0; index < list.length; index += 1) {
      this.#path.push(index);
      this.visit(list[index]);
      this.#path.pop();
    }
  }

  #visitProperties(object: Record<string, unknown>): void {
    for (const key of Object.keys(object)) {
      this.#path.push(key);
      if (isForbiddenKey(key)) {
        this.#report(`the name "${key}" is not allowed anywhere`, 'choose another name');
      } else if (key.length > MAX_TEXT_LENGTH) {
        this.#report(`the name is longer than ${MAX_TEXT_LENGTH} characters`);
      } else {
        this.visit(object[key]);
      }
      this.#path.pop();
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
    this.#problems.add(this.#path.reduce<string>(childPointer, ''), message, hint);
  }
}
