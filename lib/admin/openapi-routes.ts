import fastifySwagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { ApiScope } from './api-scope.ts';
import { jsonResponse, problemResponses } from './shared-schemas.ts';

/** Gathers what routes say of themselves; to be called before they are added. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Fengling Gateway: management API',
        version,
        description:
          'Everything under /api/gateway needs a token: reads the role reader, health and restarts operator, ' +
          'the configuration admin. Errors are problem documents (RFC 9457) with a stable code. A method that a ' +
          'path does not have is 405 with Allow, an Expect other than 100-continue 417.',
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'A token of this gateway, or a JWT' },
        },
      },
      security: [{ token: [] }],
    },
    // Schemas keep the names that they have here.
    refResolver: { buildLocalReference: (schema) => String(schema.$id) },
  });
}

export function addOpenapiRoutes(api: ApiScope, app: FastifyInstance): void {
  let text: string | null = null;
  api.get(
    '/openapi.json',
    {
      config: { role: 'reader' },
      schema: {
        operationId: 'getOpenapi',
        summary: 'This description',
        tags: ['status'],
        response: { 200: jsonResponse('An OpenAPI 3.1 document', { type: 'object' }), ...problemResponses() },
      },
    },
    (_request, reply) => {
      text ??= JSON.stringify(app.swagger());
      return reply.type('application/json').send(text);
    },
  );
}
