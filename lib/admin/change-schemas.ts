/** What writes take and what they answer. */
import Type, { type Static, type TSchema } from 'typebox';
import { KINDS } from '../core/config/model.ts';
import { closed, ETAG_HEADER, EXAMPLE_TIME, jsonResponse, listOf, orNull, refer } from './shared-schemas.ts';

const MAX_MESSAGE_LENGTH = 1_000;
export const DEFAULT_WAIT_MS = 5_000;

const messageSchema = Type.String({
  maxLength: MAX_MESSAGE_LENGTH,
  description: 'Why, for the history and the audit log',
});

const writeOptions = {
  dryRun: Type.Optional(
    Type.Boolean({ description: 'Only say what the change would do (default false)', default: false }),
  ),
  wait: Type.Optional(
    Type.Enum(['none', 'instance', 'all'], {
      description: 'For whose workers to wait: nobody, this instance, all instances (default instance)',
      default: 'instance',
    }),
  ),
  timeoutMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60_000,
      description: 'How long to wait; then the answer is 202 and says who is missing (default 5000)',
      default: DEFAULT_WAIT_MS,
    }),
  ),
};

export const writeQuerySchema = Type.Object(writeOptions, closed);
/** For writes whose body has no place for a message. */
export const messageQuerySchema = Type.Object(
  { ...writeOptions, message: Type.Optional(messageSchema) },
  closed,
);

export const writeHeadersSchema = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'The revision that has to be there, as the ETag of a read has it' }),
  ),
});
export const entryWriteHeadersSchema = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'The revision that has to be there; * demands only that the entry exists' }),
  ),
  'if-none-match': Type.Optional(
    Type.String({ description: 'Only * can be given: the entry is created, and never replaced' }),
  ),
});

export type WriteQuery = Static<typeof messageQuerySchema>;

/** The part of a change request that is checked here; the operations are the control plane's. */
export const changeRequestShape = Type.Object(
  { ops: Type.Array(Type.Unknown()), message: Type.Optional(messageSchema) },
  closed,
);

const changeRequest = Type.Object(
  { ops: listOf('Operation', 'Made as one step, in this order'), message: Type.Optional(messageSchema) },
  {
    $id: 'ChangeRequest',
    ...closed,
    examples: [
      {
        ops: [
          {
            op: 'put',
            kind: 'cluster',
            id: 'orders',
            value: { destinations: { 'orders-1': { url: 'http://10.0.0.1:8080' } } },
          },
          { op: 'delete', kind: 'route', id: 'orders-old' },
        ],
        message: 'orders moves to its new cluster',
      },
    ],
  },
);

export const rollbackRequestSchema = Type.Object(
  {
    revision: Type.Integer({ minimum: 0, description: 'The configuration becomes what it was then' }),
    message: Type.Optional(messageSchema),
  },
  { ...closed, examples: [{ revision: 41, message: 'the new orders route was wrong' }] },
);

const entryDifference = Type.Object(
  {
    kind: Type.Enum([...KINDS]),
    id: Type.String(),
    action: Type.Enum(['add', 'change', 'remove']),
    changes: Type.Array(
      Type.Object(
        {
          pointer: Type.String({ description: 'JSON Pointer within the entry; empty for all of it' }),
          before: Type.Optional(Type.Unknown()),
          after: Type.Optional(Type.Unknown()),
        },
        closed,
      ),
    ),
  },
  { $id: 'EntryDifference', ...closed, description: 'What a change does to one entry' },
);

const workerReceipt = Type.Object(
  {
    instance: Type.String(),
    worker: Type.Integer(),
    revision: Type.Integer({ description: 'What the worker serves' }),
    ok: Type.Boolean({ description: 'Whether the change is part of that' }),
    problem: Type.Optional(Type.String({ description: 'Why not' })),
  },
  { $id: 'WorkerReceipt', ...closed, description: 'Whether one worker serves a change' },
);

const changeReceipt = Type.Object(
  {
    revision: Type.Integer({ description: 'After the change, or as it is where nothing was changed' }),
    id: Type.String(),
    changed: Type.Boolean({ description: 'False with dryRun, and where there was nothing to change' }),
    operations: Type.Integer({ description: 'How many entries differ' }),
    difference: listOf('EntryDifference', 'Up to 1000 of them'),
    warnings: listOf('ValidationProblem', 'What works but is hardly meant'),
    applied: listOf('WorkerReceipt', 'The workers that were waited for'),
    complete: Type.Boolean({ description: 'Whether all of them serve the change' }),
  },
  { $id: 'ChangeReceipt', ...closed, description: 'What became of a change' },
);

const historyEntry = Type.Object(
  {
    revision: Type.Integer(),
    id: Type.String(),
    parent: orNull(Type.String(), 'Id of the change before it'),
    at: Type.String({ description: 'ISO 8601, UTC', examples: [EXAMPLE_TIME] }),
    actor: Type.String(),
    message: Type.String(),
    operations: Type.Integer({ description: 'How many entries were changed' }),
    difference: listOf('EntryDifference', 'Up to 1000 of them, and up to 2000 in one answer'),
  },
  { $id: 'HistoryEntry', ...closed, description: 'One change' },
);

export const historyQuerySchema = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 500, description: 'At most so many', default: 50 }),
    ),
    before: Type.Optional(Type.Integer({ minimum: 0, description: 'Only revisions below this one' })),
  },
  closed,
);
export const historySchema = Type.Object({ entries: listOf('HistoryEntry', 'The newest first') }, closed);

const receiptSchema = refer('ChangeReceipt');
const LATE = 'Written, and not confirmed by everybody in time';
const CREATED_HEADERS = {
  ...ETAG_HEADER,
  location: { type: 'string', description: 'Path of the entry, where it was created' },
} as const;

export const RECEIPT_RESPONSES = {
  200: jsonResponse('Done', receiptSchema, ETAG_HEADER),
  202: jsonResponse(LATE, receiptSchema, ETAG_HEADER),
};
/** Beyond those, of what can create an entry. */
export const CREATED_RESPONSE = { 201: jsonResponse('Created', receiptSchema, CREATED_HEADERS) };
export const LATE_CREATION_RESPONSE = { 202: jsonResponse(LATE, receiptSchema, CREATED_HEADERS) };

export const CHANGE_SCHEMAS: readonly TSchema[] = [
  changeRequest,
  entryDifference,
  workerReceipt,
  changeReceipt,
  historyEntry,
];
