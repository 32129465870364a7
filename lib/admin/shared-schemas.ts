/** Schemas that many endpoints share, and how they refer to each other. */
import Type, { type TSchema } from 'typebox';

export const closed = { additionalProperties: false } as const;
/** For what takes no options, and must not pass over a dryRun that somebody believes in. */
export const emptyQuerySchema = Type.Object({}, closed);
export const EXAMPLE_TIME = '2026-03-01T12:00:00.000Z';

/** A reference to a schema that has that name among the components of the OpenAPI document. */
export function refer(name: string): TSchema {
  return Type.Unsafe<unknown>({ $ref: `${name}#` });
}

export function listOf(name: string, description: string): TSchema {
  return Type.Unsafe<readonly unknown[]>(Type.Array(refer(name), { description }));
}

export function orNull(schema: TSchema, description: string): TSchema {
  return Type.Union([schema, Type.Null()], { description });
}

const validationProblem = Type.Object(
  {
    pointer: Type.String({ description: 'JSON Pointer (RFC 6901) to the place' }),
    message: Type.String(),
    hint: Type.Optional(Type.String({ description: 'What to do about it' })),
  },
  { $id: 'ValidationProblem', ...closed, description: 'One thing that is wrong, and where' },
);

const problem = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String({ description: 'The same for every occurrence of the code' }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.String({
      pattern: '^GW_ERR_[A-Z_]+$',
      description: 'Stable: alerts and programs may rely on it',
    }),
    detail: Type.Optional(Type.String({ description: 'What is wrong with this very request' })),
    requestId: Type.String({ description: 'As in the header x-request-id and in the logs' }),
    problems: Type.Optional(listOf('ValidationProblem', 'All that is wrong with what was sent')),
    currentRevision: Type.Optional(Type.Integer({ description: 'With 412: where the configuration stands' })),
  },
  {
    $id: 'Problem',
    description: 'Problem document (RFC 9457)',
    examples: [
      {
        type: 'about:blank',
        title: 'There is no such thing',
        status: 404,
        code: 'GW_ERR_NOT_FOUND',
        detail: 'there is no route "orders-api"',
        requestId: '0b8f5f0e-5a0c-4c55-9d3e-0f6f1b1f6c11',
      },
    ],
  },
);

export const SHARED_SCHEMAS: readonly TSchema[] = [validationProblem, problem];

const PROBLEM_WORDS: Readonly<Record<number, string>> = {
  400: 'The request is not what the API takes',
  401: 'No valid token',
  403: 'The role of the token is not enough',
  404: 'There is no such thing',
  409: 'The configuration cannot be changed here',
  412: 'The configuration is at another revision, or the entry is not as the condition wants it',
  413: 'The body is too large',
  414: 'The path is too long',
  415: 'The body is not JSON',
  422: 'The configuration would not be valid',
  429: 'No valid token, and too many failed attempts from this address',
  431: 'The head of the request is too large',
  500: 'The gateway failed',
  503: 'Not now: the store, the workers or others who ask do not allow it',
};

const PROBLEM_HEADERS: Readonly<Record<number, object>> = {
  412: { etag: { type: 'string', description: 'The revision, where another one was expected' } },
  429: { 'retry-after': { type: 'integer', description: 'Seconds until this address may fail again' } },
};

/** The answers that every endpoint can give, and those of these statuses. */
export function problemResponses(...statuses: readonly number[]): Record<number, object> {
  const all = [401, 403, 429, 431, 500, ...statuses];
  return Object.fromEntries(
    all.map((status) => [
      status,
      {
        description: PROBLEM_WORDS[status] ?? 'Refused',
        ...(PROBLEM_HEADERS[status] === undefined ? {} : { headers: PROBLEM_HEADERS[status] }),
        content: { 'application/problem+json': { schema: refer('Problem') } },
      },
    ]),
  );
}

/** A JSON answer, with the headers that it has beyond the usual. */
export function jsonResponse(
  description: string,
  schema: TSchema,
  headers: Record<string, object> = {},
): object {
  return { description, headers, content: { 'application/json': { schema } } };
}

export const ETAG_HEADER = {
  etag: { type: 'string', description: 'The revision of the configuration, as If-Match takes it' },
} as const;

/** Of reads of the configuration. */
export const READ_HEADERS = {
  ...ETAG_HEADER,
  'x-gateway-revision-id': { type: 'string', description: 'The id of that revision' },
} as const;

export const NOT_MODIFIED: { readonly 304: object } = {
  304: {
    type: 'null',
    description: 'The configuration is still at the revision of If-None-Match',
    headers: READ_HEADERS,
  },
};

export const readHeadersSchema = Type.Object({
  'if-none-match': Type.Optional(
    Type.String({ description: 'The revision that the client has: 304 where it is still that one' }),
  ),
});
