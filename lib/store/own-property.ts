/**
 * Sets an own property. A plain assignment to `__proto__` would change the prototype instead, and the
 * key would be hidden from the validation that is to refuse it.
 */
export function setOwnProperty(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[key] = value;
  }
}
