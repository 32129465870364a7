/** What the routes of the admin listener are written against. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Role } from '../auth/roles.ts';
import type { Admission } from './admission.ts';
import type { AuditNotes } from './audit-log.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The role that the route needs; a route without one is open to everybody. */
    role?: Role;
    /** Whether it changes something: then each request leaves a line in the audit log. */
    writes?: boolean;
  }
  interface FastifyRequest {
    admission: Admission;
    /** What the audit log will say beyond what every request has. */
    audit: AuditNotes;
  }
}

export type ApiScope = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
