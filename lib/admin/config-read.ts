import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Head } from '../core/config/change.ts';
import { formatRevisionTag, matchesRevision } from './revision-tag.ts';

/** Says in the head of an answer at which revision it is. Returns whether the client has that one already. */
export function nameRevision(request: FastifyRequest, reply: FastifyReply, head: Head): boolean {
  reply.header('etag', formatRevisionTag(head.revision));
  reply.header('x-gateway-revision-id', head.id);
  return matchesRevision(request.headers['if-none-match'], head.revision);
}
