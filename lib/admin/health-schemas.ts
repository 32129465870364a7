/** What consoles say of destinations. */
import Type, { type TSchema } from 'typebox';
import { ID_PATTERN } from '../core/config/patterns.ts';
import { closed, listOf } from './shared-schemas.ts';

export const DEFAULT_HEALTH_TTL_MS = 30_000;

const idSchema = Type.String({ pattern: ID_PATTERN });
const sequenceSchema = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Counts up with each report on this destination: an older one never replaces a newer one',
});
const reasonSchema = Type.String({ maxLength: 500, description: 'Why, for people' });

export const healthReportsSchema = Type.Object(
  {
    reports: Type.Array(
      Type.Object(
        {
          cluster: idSchema,
          destination: idSchema,
          healthy: Type.Boolean(),
          sequence: sequenceSchema,
          ttlMs: Type.Optional(
            Type.Integer({
              minimum: 1_000,
              maximum: 3_600_000,
              description:
                'For so long the report holds; then the destination is usable again (default 30000)',
              default: DEFAULT_HEALTH_TTL_MS,
            }),
          ),
          reason: Type.Optional(reasonSchema),
        },
        closed,
      ),
      { maxItems: 10_000 },
    ),
  },
  {
    ...closed,
    examples: [
      {
        reports: [{ cluster: 'orders', destination: 'orders-1', healthy: false, sequence: 7, reason: '503' }],
      },
    ],
  },
);

const healthReport = Type.Object(
  {
    cluster: Type.String(),
    destination: Type.String(),
    healthy: Type.Boolean(),
    sequence: Type.Integer(),
    ttlMs: Type.Integer({ description: 'What is left of its time' }),
    reason: Type.Optional(Type.String()),
  },
  { $id: 'HealthReport', ...closed, description: 'What is known of one destination' },
);

export const healthSchema = Type.Object({ reports: listOf('HealthReport', 'Those that hold') }, closed);
export const acceptedSchema = Type.Object(
  {
    accepted: Type.Integer({ description: 'How many were newer than what was known' }),
    unknown: Type.Array(Type.Object({ cluster: Type.String(), destination: Type.String() }, closed), {
      description:
        'Up to 100 destinations that the configuration of this instance does not have. Their reports are ' +
        'kept all the same: the configuration may follow.',
    }),
  },
  closed,
);

export const HEALTH_SCHEMAS: readonly TSchema[] = [healthReport];
