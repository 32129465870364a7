import type { AccessGate } from './access-gate.ts';
import type { ApiScope } from './api-scope.ts';
import type { EventStreams } from './event-streams.ts';
import { problemResponses } from './shared-schemas.ts';

/** What happens, as it happens. */
export function addEventRoutes(api: ApiScope, streams: EventStreams, gate: AccessGate): void {
  api.get(
    '/events',
    {
      // A HEAD of an endless answer is of no use to anybody.
      exposeHeadRoute: false,
      config: { role: 'reader' },
      schema: {
        operationId: 'streamEvents',
        summary: 'Server-sent events: hello with the status first, then what happens',
        description:
          'The events are hello, change, applied, refused, worker, store and instance. There is no replay: ' +
          'after a break, hello says how things are. The stream ends when the token is revoked or expires; a ' +
          'client that does not read is dropped.',
        tags: ['status'],
        response: {
          200: {
            description: 'The events',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          ...problemResponses(503),
        },
      },
    },
    (request, reply) => {
      const { authorization } = request.headers;
      const actor = request.admission.identity?.actor ?? '';
      streams.requireRoom(actor);
      reply.hijack();
      streams.open(reply.raw, actor, () => gate.stillAdmits(authorization, 'reader'));
    },
  );
}
