/** What all writes have in common: the terms on which they are made, and how their receipts are answered. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DEFAULT_WAIT_MS, type WriteQuery } from './change-schemas.ts';
import type { ChangeOrder, ChangeReceipt } from './control-plane.ts';
import { formatRevisionTag, parseIfMatch, refuseIfNoneMatch } from './revision-tag.ts';

export type WriteTerms = Omit<ChangeOrder, 'content' | 'requires'>;

/**
 * Reads the terms of a write from its query and If-Match, and notes its message for the audit log. Writes of
 * single entries read If-None-Match themselves.
 * @throws ControlError where the conditions cannot be used
 */
export function readWriteTerms(
  request: FastifyRequest,
  query: Omit<WriteQuery, 'message'>,
  message: string | undefined,
  takesIfNoneMatch = false,
): WriteTerms {
  request.audit.message = message ?? null;
  const condition = parseIfMatch(request.headers['if-match']);
  if (!takesIfNoneMatch) refuseIfNoneMatch(request.headers['if-none-match']);
  return {
    ...(condition.kind === 'revision' ? { expectedRevision: condition.revision } : {}),
    actor: request.admission.identity?.actor ?? '',
    message: message ?? '',
    dryRun: query.dryRun ?? false,
    wait: query.wait ?? 'instance',
    timeoutMs: query.timeoutMs ?? DEFAULT_WAIT_MS,
  };
}

/** Answers with a receipt: 202 where somebody who was waited for did not confirm in time. */
export function sendReceipt(
  request: FastifyRequest,
  reply: FastifyReply,
  receipt: ChangeReceipt,
  createdPath: string | null = null,
): FastifyReply {
  request.audit.revision = receipt.revision;
  request.audit.changed = receipt.changed;
  reply.header('etag', formatRevisionTag(receipt.revision));
  if (createdPath !== null) reply.header('location', createdPath);
  const status = createdPath === null ? 200 : 201;
  return reply.code(receipt.complete ? status : 202).send(receipt);
}
