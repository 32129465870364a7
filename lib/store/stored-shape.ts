import type { Head } from '../core/config/change.ts';

/** True for an object that is not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for what a head looks like once it has been through a file. */
export function isHead(value: unknown): value is Head {
  return (
    isRecord(value) &&
    Number.isSafeInteger(value.revision) &&
    (value.revision as number) >= 0 &&
    typeof value.id === 'string' &&
    (value.parent === null || typeof value.parent === 'string') &&
    typeof value.at === 'string'
  );
}
