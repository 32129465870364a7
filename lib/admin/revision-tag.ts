/** Revisions as entity tags (RFC 9110 §8.8.3), and the conditions that requests make of them. */
import { ERRORS } from '../core/errors.ts';
import { ControlError } from './control-plane.ts';

/** What a write demands: nothing, that there is something to replace, or an exact revision. */
export type WriteCondition =
  | { readonly kind: 'none' }
  | { readonly kind: 'any' }
  | { readonly kind: 'revision'; readonly revision: number };

const REVISION = /^(?:"(\d{1,15})"|(\d{1,15}))$/;

export function formatRevisionTag(revision: number): string {
  return `"${revision}"`;
}

/**
 * Reads an If-Match field. The quotes may be missing, since people type revisions.
 * @throws ControlError where it is weak, a list, or no revision
 */
export function parseIfMatch(field: string | undefined): WriteCondition {
  if (field === undefined) return { kind: 'none' };
  const text = field.trim();
  if (text === '*') return { kind: 'any' };
  if (text.startsWith('W/')) refuse('it is weak, which never matches (RFC 9110 §13.1.1)');
  const match = REVISION.exec(text);
  if (match === null) refuse('it is not a revision');
  return { kind: 'revision', revision: Number(match[1] ?? match[2]) };
}

function refuse(reason: string): never {
  throw new ControlError(
    ERRORS.invalidRequest,
    `If-Match cannot be used, ${reason}: give one revision, as the ETag of a read has it: "12"`,
  );
}

/** Whether the client has this revision already, by its If-None-Match field. */
export function matchesRevision(field: string | undefined, revision: number): boolean {
  if (field === undefined) return false;
  return field.split(',').some((entry) => {
    const tag = entry.trim().replace(/^W\//, '');
    return tag === '*' || tag === formatRevisionTag(revision) || tag === String(revision);
  });
}
