/** What a change would make of a valid configuration, at the price of what it touches. */
import type { Operation } from './change.ts';
import { reportChangeConflicts, type ScopeChange } from './change-conflicts.ts';
import { reportReferences } from './change-references.ts';
import { checkEntryRules } from './entry-rules.ts';
import { checkEntrySchema, entryPointer } from './entry-schema.ts';
import { equalValues } from './equal-values.ts';
import { COLLECTIONS } from './model.ts';
import { inSafeOrder } from './pending-operations.ts';
import { checkPlainData } from './plain-data.ts';
import type { Problem } from './problem.ts';
import { type Findings, noFindings, type ProblemList } from './problem-list.ts';
import { readOperations } from './read-operations.ts';
import { type RouteScope, scopeOf } from './route-scope.ts';
import type { TableParts } from './table-parts.ts';

export interface CheckedChange {
  /** What really changes something, in an order that is safe to apply; empty where there is a problem. */
  readonly operations: readonly Operation[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** See `ConfigurationTable.check`. */
export function checkChange(parts: TableParts, requested: readonly unknown[]): CheckedChange {
  const findings = noFindings();
  const { problems, warnings } = findings;
  const wellFormed = readOperations(requested, problems);
  const areAllWellFormed = problems.isEmpty;
  const operations = inSafeOrder(wellFormed.filter((operation) => hasEffect(parts, operation, problems)));
  const fitting = operations.filter((operation) => checkEntry(operation, findings));
  // What a malformed operation was meant to do is not known, so neither is the result.
  if (areAllWellFormed) {
    reportReferences(parts, operations, fitting, problems);
    reportChangeConflicts(parts.conflicts, scopeChangeOf(parts, operations, fitting), findings);
  }
  return {
    operations: problems.isEmpty ? operations : [],
    problems: problems.toArray(),
    warnings: warnings.toArray(),
  };
}

/** Checks too that a value is plain data: no other question may be asked of one that is not. */
function hasEffect(parts: TableParts, operation: Operation, problems: ProblemList): boolean {
  const { kind, id } = operation;
  const entries: ReadonlyMap<string, unknown> = parts[COLLECTIONS[kind]];
  if (operation.op === 'delete') {
    return entries.has(id);
  }
  const mayBeRead = checkPlainData(operation.value, problems, entryPointer(kind, id));
  return mayBeRead && !(entries.has(id) && equalValues(entries.get(id), operation.value));
}

/** Checks an entry by itself. Returns whether it fits the schema, so that it can be compared with others. */
function checkEntry(operation: Operation, findings: Findings): boolean {
  const { kind, id } = operation;
  if (operation.op === 'delete') {
    return true;
  }
  if (!checkEntrySchema(kind, id, operation.value, findings.problems)) {
    return false;
  }
  checkEntryRules(operation, findings);
  return true;
}

function scopeChangeOf(
  parts: TableParts,
  operations: readonly Operation[],
  fitting: readonly Operation[],
): ScopeChange {
  const removed: RouteScope[] = [];
  for (const { kind, id } of operations) {
    const route = kind === 'route' ? parts.routes.get(id) : undefined;
    const scope = route === undefined ? null : scopeOf(id, route);
    if (scope !== null) {
      removed.push(scope);
    }
  }
  const added: RouteScope[] = [];
  for (const operation of fitting) {
    const isRoutePut = operation.op === 'put' && operation.kind === 'route';
    const scope = isRoutePut ? scopeOf(operation.id, operation.value) : null;
    if (scope !== null) {
      added.push(scope);
    }
  }
  return { removed, added };
}
