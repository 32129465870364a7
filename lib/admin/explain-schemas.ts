/** A request as explain is asked about it, and the explanation. */
import Type, { type Static, type TSchema } from 'typebox';
import { closed } from './shared-schemas.ts';

const headerText = Type.String({ maxLength: 8_192 });

export const explainRequestSchema = Type.Object(
  {
    method: Type.String({ minLength: 1, maxLength: 32 }),
    url: Type.String({
      minLength: 1,
      maxLength: 8_192,
      description: 'Absolute, or a path where the headers name a Host',
    }),
    headers: Type.Optional(
      Type.Union(
        [
          Type.Record(
            Type.String({ pattern: '^[\\s\\S]*$' }),
            Type.Union([headerText, Type.Array(headerText, { maxItems: 100 })]),
          ),
          Type.Array(Type.Array(Type.String({ maxLength: 8_192 }), { minItems: 2, maxItems: 2 }), {
            maxItems: 200,
          }),
        ],
        { description: 'An object of values or lists of values, or a list of [name, value]' },
      ),
    ),
    clientAddress: Type.Optional(
      Type.String({ maxLength: 64, description: 'IP address of the client (default 127.0.0.1)' }),
    ),
  },
  {
    ...closed,
    examples: [
      { method: 'GET', url: 'http://api.example.com/orders/7?beta=1', headers: { 'x-version': '2' } },
    ],
  },
);

export type ExplainBody = Static<typeof explainRequestSchema>;

const pairSchema = Type.Array(Type.String(), { minItems: 2, maxItems: 2, description: 'Name and value' });

const candidateSchema = Type.Object(
  {
    route: Type.String(),
    order: Type.Integer(),
    won: Type.Boolean(),
    reason: Type.String({ description: 'Why it won or lost' }),
  },
  closed,
);

const destinationSchema = Type.Object(
  {
    destination: Type.String(),
    url: Type.String(),
    weight: Type.Integer(),
    healthy: Type.Boolean(),
    usable: Type.Boolean(),
    active: Type.Integer({ description: 'Requests under way from the worker that answered' }),
  },
  closed,
);

const pickSchema = Type.Object(
  {
    destination: Type.String(),
    url: Type.String(),
    certain: Type.Boolean({ description: 'False where chance decides: the next request may go elsewhere' }),
    reason: Type.String(),
  },
  closed,
);

const explanation = Type.Object(
  {
    revision: Type.Integer(),
    worker: Type.Integer(),
    request: Type.Optional(
      Type.Object(
        { method: Type.String(), host: Type.String(), path: Type.String(), query: Type.String() },
        { ...closed, description: 'What is matched' },
      ),
    ),
    refused: Type.Optional(
      Type.Object(
        { code: Type.String(), status: Type.Integer(), reason: Type.String() },
        { ...closed, description: 'Where the gateway itself would answer' },
      ),
    ),
    candidates: Type.Array(candidateSchema, { description: 'From the first considered to the last' }),
    candidatesCut: Type.Boolean({ description: 'Whether there were more than are listed' }),
    route: Type.Optional(Type.String()),
    cluster: Type.Optional(Type.String()),
    policies: Type.Array(
      Type.Object({ policy: Type.String(), effect: Type.String(), settings: Type.Unknown() }, closed),
    ),
    upstream: Type.Optional(
      Type.Object(
        { method: Type.String(), target: Type.String(), headers: Type.Array(pairSchema) },
        { ...closed, description: 'What would be sent to the destination' },
      ),
    ),
    destinations: Type.Array(destinationSchema),
    pick: Type.Optional(pickSchema),
  },
  { $id: 'Explanation', ...closed, description: 'What would become of a request, and why' },
);

export const EXPLAIN_SCHEMAS: readonly TSchema[] = [explanation];
