import type { Operation } from '../../core/config/change.ts';
import { KINDS } from '../../core/config/model.ts';
import { findOperationProblems } from '../entry-table.ts';
import { isRecord } from '../stored-shape.ts';

/**
 * True for an operation in form; what its value means is for validation to say. An entry may be deleted
 * whatever its id is: somebody may have put it there past all validation.
 */
export function isOperation(value: unknown): value is Operation {
  return isDelete(value) || findOperationProblems([value]).length === 0;
}

export function isDelete(value: unknown): boolean {
  return (
    isRecord(value) &&
    value.op === 'delete' &&
    (KINDS as readonly unknown[]).includes(value.kind) &&
    typeof value.id === 'string' &&
    value.id !== ''
  );
}
