/** How an instance is, and how the fleet is. */
import Type, { type TSchema } from 'typebox';
import { closed, EXAMPLE_TIME, listOf, orNull } from './shared-schemas.ts';

const timeSchema = Type.String({ description: 'ISO 8601, UTC', examples: [EXAMPLE_TIME] });

const workerStatus = Type.Object(
  {
    worker: Type.Integer({ description: 'Counts up over all workers that there were' }),
    slot: Type.Integer({ description: 'The place it has; its successor takes the same' }),
    pid: Type.Integer(),
    state: Type.String(),
    revision: orNull(Type.Integer(), 'What it serves'),
    id: orNull(Type.String(), 'The id of that revision'),
    fingerprint: orNull(Type.String(), 'Of its routing table: equal ones mean equal content'),
  },
  { $id: 'WorkerStatus', ...closed },
);

const materialProblem = Type.Object(
  {
    name: Type.String({
      description: 'file:, env: or jwks:, and where it is',
      examples: ['file:/etc/gateway/tls/key.pem'],
    }),
    problem: Type.String(),
    since: timeSchema,
  },
  { $id: 'MaterialProblem', ...closed },
);

const storeSchema = Type.Object(
  {
    kind: Type.String({ description: 'file, config-file or redis' }),
    source: Type.String({ description: 'Where it is, without secrets' }),
    writable: Type.Boolean(),
    reachable: Type.Boolean(),
    problem: orNull(Type.String(), 'Why it cannot be used as it should be'),
    since: timeSchema,
  },
  closed,
);

const refusedSchema = Type.Object(
  {
    revision: orNull(Type.Integer(), 'Null where the store does not count'),
    at: timeSchema,
    problems: listOf('ValidationProblem', 'Why'),
    problemCount: Type.Integer(),
  },
  closed,
);

const configurationStatusSchema = Type.Object(
  {
    revision: Type.Integer(),
    id: Type.String(),
    at: timeSchema,
    routes: Type.Integer(),
    clusters: Type.Integer(),
    fingerprint: Type.String({ description: 'Equal ones mean equal content' }),
    applied: Type.Boolean({ description: 'Whether every worker serves this revision' }),
    degraded: orNull(Type.String(), 'Why this is not what the store holds, or may not be'),
    refused: orNull(refusedSchema, 'The newest configuration of the store, where it is refused'),
  },
  closed,
);

const instanceMembers = {
  instance: Type.String(),
  version: Type.String(),
  startedAt: timeSchema,
  at: timeSchema,
  listen: Type.String({ description: 'host:port of the proxy' }),
  listenTls: Type.Optional(
    Type.String({ description: 'host:port of the proxy for TLS, where there is one' }),
  ),
  admin: Type.String({ description: 'host:port of this API' }),
  ready: Type.Boolean(),
  requestsPerSecond: Type.Number(),
  store: storeSchema,
  configuration: configurationStatusSchema,
  materials: listOf('MaterialProblem', 'Keys, secrets and certificates that cannot be got anew, up to 100'),
  workers: listOf('WorkerStatus', 'Also those that start or drain'),
};

const instanceStatus = Type.Object(instanceMembers, {
  $id: 'InstanceStatus',
  ...closed,
  description: 'How this instance is',
});

const fleetMember = Type.Object(
  {
    ...instanceMembers,
    lags: Type.Boolean({ description: 'Whether it serves less than the newest revision of all' }),
  },
  { $id: 'FleetMember', ...closed, description: 'How one instance of the fleet is, as it last said' },
);

export const instancesSchema = Type.Object({ instances: listOf('FleetMember', 'This one included') }, closed);

export const STATUS_SCHEMAS: readonly TSchema[] = [
  workerStatus,
  materialProblem,
  instanceStatus,
  fleetMember,
];
