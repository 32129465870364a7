/** Puts the routes of the admin listener together, and what holds for all of them. */

import type { IncomingMessage } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { allows } from '../auth/roles.ts';
import { KINDS } from '../core/config/model.ts';
import { ERRORS } from '../core/errors.ts';
import type { AccessGate } from './access-gate.ts';
import { AllowedMethods } from './allowed-methods.ts';
import type { ApiScope } from './api-scope.ts';
import { type AuditLog, newAuditNotes } from './audit-log.ts';
import { addChangeRoutes } from './change-routes.ts';
import { CHANGE_SCHEMAS } from './change-schemas.ts';
import { addCollectionRoutes } from './collection-routes.ts';
import { addConfigRoutes } from './config-routes.ts';
import { CONFIG_SCHEMAS } from './config-schemas.ts';
import { ControlError, type ControlPlane } from './control-plane.ts';
import { addEntryRoutes } from './entry-routes.ts';
import { addEventRoutes } from './event-routes.ts';
import type { EventStreams } from './event-streams.ts';
import { addExplainRoutes } from './explain-routes.ts';
import { EXPLAIN_SCHEMAS } from './explain-schemas.ts';
import { addHealthRoutes } from './health-routes.ts';
import { HEALTH_SCHEMAS } from './health-schemas.ts';
import { addHistoryRoutes } from './history-routes.ts';
import { readJsonBody } from './json-body.ts';
import { addOpenapiRoutes, describeApi } from './openapi-routes.ts';
import { addProbeRoutes, type ProbeSource } from './probe-routes.ts';
import { PROBLEM_TYPE, refusalOf, renderProblem } from './problem-document.ts';
import { compileValidator } from './schema-validator.ts';
import { SHARED_SCHEMAS } from './shared-schemas.ts';
import { addStatusRoutes } from './status-routes.ts';
import { STATUS_SCHEMAS } from './status-schemas.ts';

const MEBIBYTE = 1_048_576;
const DOCUMENT_LIMIT_BYTES = 64 * MEBIBYTE;
/** Ten thousand reports, with a reason each, are larger than a mebibyte. */
const HEALTH_LIMIT_BYTES = 16 * MEBIBYTE;
/** Longer than any id, so that a long one is told what is wrong with it. */
const MAX_PARAM_LENGTH = 4_096;

export interface ApiParts {
  readonly controlPlane: ControlPlane;
  readonly probes: ProbeSource;
  readonly gate: AccessGate;
  readonly streams: EventStreams;
  readonly audit: AuditLog;
  readonly logger: Logger;
  readonly version: string;
}

/** Builds the routes, ready to be given requests that the gate has let in. */
export async function createApi(parts: ApiParts): Promise<ApiScope> {
  const { gate } = parts;
  const app = Fastify({
    genReqId: (request) => gate.admissionOf(request as FastifyRequest['raw']).requestId,
    bodyLimit: MEBIBYTE,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, request, reply) => sendError(parts.logger, error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(compileValidator);
  // Answers go out as the control plane gave them; tests hold them to their schemas.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', (request: FastifyRequest, payload: IncomingMessage) => {
    const declaredBytes = Number(request.headers['content-length'] ?? 0);
    return readJsonBody(payload, declaredBytes, request.routeOptions.bodyLimit ?? MEBIBYTE);
  });
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    sendError(parts.logger, error, request, reply),
  );
  await describeApi(app, parts.version);
  addSchemas(app);
  addCommonHooks(app, parts);
  addProbeRoutes(app, parts.probes);
  await app.register(async (api: ApiScope) => addManagementRoutes(api, app, parts), {
    prefix: '/api/gateway',
  });
  await app.ready();
  return app;
}

function addSchemas(app: ApiScope): void {
  const schemas = [
    ...SHARED_SCHEMAS,
    ...CONFIG_SCHEMAS,
    ...CHANGE_SCHEMAS,
    ...STATUS_SCHEMAS,
    ...EXPLAIN_SCHEMAS,
    ...HEALTH_SCHEMAS,
  ];
  for (const schema of schemas) app.addSchema(schema);
}

function addCommonHooks(app: ApiScope, { gate }: ApiParts): void {
  const methods = new AllowedMethods();
  app.decorateRequest('admission');
  app.decorateRequest('audit');
  app.addHook('onRoute', ({ url, method }) => methods.add(url, [method].flat()));
  app.addHook('onRequest', async (request, reply) => {
    request.admission = gate.admissionOf(request.raw);
    request.audit = newAuditNotes(request.query);
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    // Here and not in a handler for it: by then a body would have been read.
    if (request.is404) refuseUnknown(request, reply, methods);
  });
}

function refuseUnknown(request: FastifyRequest, reply: FastifyReply, methods: AllowedMethods): never {
  const allowed = methods.find(request.raw.url ?? '').join(', ');
  if (allowed === '') throw new ControlError(ERRORS.notFound, 'nothing is served under this path');
  reply.header('allow', allowed);
  throw new ControlError(ERRORS.methodNotAllowed, `this path takes ${allowed}`);
}

function addManagementRoutes(api: ApiScope, app: ApiScope, parts: ApiParts): void {
  const { controlPlane, streams, gate, audit } = parts;
  api.addHook('onRequest', async (request) => checkAccess(request));
  // When the answer is made, and not when it has left: the client may be gone by then.
  api.addHook('onSend', async (request, reply) => noteWrite(audit, request, reply));
  addConfigRoutes(api, controlPlane, DOCUMENT_LIMIT_BYTES);
  addChangeRoutes(api, controlPlane, DOCUMENT_LIMIT_BYTES);
  for (const kind of KINDS) {
    addCollectionRoutes(api, controlPlane, kind, DOCUMENT_LIMIT_BYTES);
    addEntryRoutes(api, controlPlane, kind);
  }
  addHistoryRoutes(api, controlPlane);
  addStatusRoutes(api, controlPlane);
  addExplainRoutes(api, controlPlane);
  addHealthRoutes(api, controlPlane, HEALTH_LIMIT_BYTES);
  addEventRoutes(api, streams, gate);
  addOpenapiRoutes(api, app);
}

/** The gate has answered who has no token. Should a path ever slip by it, this is what it meets. */
function checkAccess({ admission: { identity }, routeOptions: { config } }: FastifyRequest): void {
  if (identity === null) throw new ControlError(ERRORS.unauthorized, 'a token is needed here');
  if (config.role === undefined) throw new Error('a route of the management API has no role');
  if (!allows(identity.role, config.role)) {
    const detail = `this takes the role ${config.role}, and the token has ${identity.role}`;
    throw new ControlError(ERRORS.forbidden, detail);
  }
}

function noteWrite(audit: AuditLog, request: FastifyRequest, reply: FastifyReply): void {
  if (request.routeOptions.config.writes !== true) return;
  audit.noteWrite({
    ...request.admission,
    method: request.method,
    path: request.raw.url ?? '',
    status: reply.statusCode,
    ...request.audit,
  });
}

/** Answers with a problem document; what was not foreseen is logged, and the client learns only its id. */
function sendError(
  logger: Logger,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const refusal = refusalOf(error);
  const { definition } = refusal;
  if (definition === ERRORS.internal)
    logger.error({ err: error, requestId: request.id }, 'the management API failed');
  if (request.audit) request.audit.code = definition.code;
  // The framework would close the connection under a client that is still sending, and it would miss the answer.
  reply.removeHeader('connection');
  if (typeof refusal.members.currentRevision === 'number') {
    reply.header('etag', `"${refusal.members.currentRevision}"`);
  }
  return reply.code(definition.status).type(PROBLEM_TYPE).send(renderProblem(refusal, request.id));
}
