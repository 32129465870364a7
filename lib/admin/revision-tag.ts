/** Revisions as entity tags (RFC 9110 §8.8.3), and the conditions that requests make of them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Head } from '../core/config/change.ts';
import type { Kind } from '../core/config/model.ts';
import { ERRORS } from '../core/errors.ts';
import { ControlError, type EntryRequirement } from './control-plane.ts';

/** What a write demands: nothing, that there is something to replace, or an exact revision. */
type WriteCondition =
  | { readonly kind: 'none' }
  | { readonly kind: 'any' }
  | { readonly kind: 'revision'; readonly revision: number };

const REVISION = /^(?:"(\d{1,15})"|(\d{1,15}))$/;

export function formatRevisionTag(revision: number): string {
  return `"${revision}"`;
}

/** Says in the head of an answer at which revision it is. Returns whether the client has that one already. */
export function nameRevision(request: FastifyRequest, reply: FastifyReply, head: Head): boolean {
  reply.header('etag', formatRevisionTag(head.revision));
  reply.header('x-gateway-revision-id', head.id);
  return matchesRevision(request.headers['if-none-match'], head.revision);
}

/** Whether the client has this revision already, by its If-None-Match field. */
function matchesRevision(field: string | undefined, revision: number): boolean {
  if (field === undefined) return false;
  return field.split(',').some((entry) => {
    const tag = entry.trim().replace(/^W\//, '');
    return tag === '*' || tag === formatRevisionTag(revision) || tag === String(revision);
  });
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

/** @throws ControlError where there is an If-None-Match field: to pass over a condition would be worse */
export function refuseIfNoneMatch(field: string | undefined): void {
  if (field === undefined) return;
  const detail = 'If-None-Match cannot be used with this write: only a PUT of one entry takes it, as *';
  throw new ControlError(ERRORS.invalidRequest, detail);
}

/**
 * What the conditions of a PUT demand of the entry itself: `If-Match: *` that there is one,
 * `If-None-Match: *` that there is none.
 * @throws ControlError where they contradict each other, or name anything else
 */
export function readEntryCondition(
  headers: FastifyRequest['headers'],
  kind: Kind,
  id: string,
): EntryRequirement | null {
  const isReplacement = parseIfMatch(headers['if-match']).kind === 'any';
  const isCreation = isAnyTag(headers['if-none-match']);
  if (isReplacement && isCreation) {
    const detail = 'If-Match: * and If-None-Match: * cannot both be fulfilled: leave one of them out';
    throw new ControlError(ERRORS.invalidRequest, detail);
  }
  if (!isReplacement && !isCreation) return null;
  return { kind, id, present: isReplacement, otherwise: ERRORS.preconditionFailed };
}

function isAnyTag(field: string | undefined): boolean {
  if (field === undefined) return false;
  if (field.trim() === '*') return true;
  const detail = 'If-None-Match can only be * with a write: it creates the entry, and never replaces one';
  throw new ControlError(ERRORS.invalidRequest, detail);
}
