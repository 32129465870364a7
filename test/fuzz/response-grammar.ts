/** Answers as origins may send them: every shape, whole and broken, as plain data, and the bytes they make. */
import fc from 'fast-check';
import { ResponseReader } from '../helpers/response-reader.ts';
import { COMMON_SNIPPETS, type Mutation, mutate, mutations } from './mutations.ts';

export interface ResponsePlan {
  readonly interim: readonly number[];
  readonly status: number;
  readonly reason: 'plain' | 'none' | 'token' | 'bytes';
  readonly fields: readonly number[];
  readonly framing: 'length' | 'too short' | 'too long' | 'chunked' | 'until close' | 'both' | 'not needed';
  readonly body: 'empty' | 'short' | 'long' | 'chunks' | 'answer';
  readonly surplus: 'nothing' | 'answer' | 'interim' | 'letters' | 'line ends';
  readonly hasTrailers: boolean;
  readonly mutations: readonly Mutation[];
  readonly end: 'keep' | 'close' | 'reset';
}

const FIELDS: readonly ((token: string) => string)[] = [
  () => 'Content-Type: text/plain',
  () => 'Connection: close',
  () => 'Connection: keep-alive, X-Named\r\nX-Named: a',
  () => 'Keep-Alive: timeout=5',
  (token) => `Set-Cookie: ${token}=1\r\nSet-Cookie: b=2`,
  (token) => `X-Spaced: \t ${token} \t`,
  () => 'X-Empty:',
  () => 'X-Bytes: \x80\xff',
  () => 'Trailer: X-Late',
  () => 'Upgrade: h2c\r\nConnection: Upgrade',
  () => 'Content-Encoding: gzip',
];

/** What may be spliced in besides the common snippets. */
const RESPONSE_SNIPPETS: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/2.0 200 OK\r\n',
  'Set-Cookie: a\r\n',
  'Content-Length: 18446744073709551616\r\n',
  'Location: /\r\n',
];

/** Half of them are as they were built; what was built need not be right. */
export const responsePlan: fc.Arbitrary<ResponsePlan> = fc.record({
  interim: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom(100, 101, 102, 103, 103, 199), { maxLength: 3 }) },
  ),
  status: fc.constantFrom(200, 200, 200, 204, 304, 206, 404, 500, 599, 999, 100, 101),
  reason: fc.constantFrom('plain', 'none', 'token', 'bytes'),
  fields: fc.uniqueArray(fc.nat(FIELDS.length - 1), { maxLength: 3 }),
  framing: fc.constantFrom(
    ...(['length', 'length', 'chunked', 'chunked', 'until close'] as const),
    ...(['too short', 'too long', 'both', 'not needed'] as const),
  ),
  body: fc.constantFrom('empty', 'short', 'long', 'chunks', 'answer'),
  surplus: fc.constantFrom('nothing', 'nothing', 'nothing', 'answer', 'interim', 'letters', 'line ends'),
  hasTrailers: fc.boolean(),
  mutations: fc.oneof(mutations([...COMMON_SNIPPETS, ...RESPONSE_SNIPPETS]), fc.constant([])),
  end: fc.constantFrom('keep', 'keep', 'close', 'reset'),
});

/** The bytes of an answer. `token` tells whose it is, wherever a part of it turns up. */
export function formatResponse(plan: ResponsePlan, token: string): Buffer {
  const interim = plan.interim.map((status) => `HTTP/1.1 ${status} Interim\r\nLink: </${token}>\r\n\r\n`);
  const [framing, body] = formatBody(plan, token);
  const lines = [
    `HTTP/1.1 ${plan.status}${formatReason(plan.reason, token)}`,
    `X-Answer: ${token}`,
    ...plan.fields.map((index) => FIELDS[index]?.(token) ?? ''),
    ...framing,
  ];
  const text = `${interim.join('')}${lines.join('\r\n')}\r\n\r\n${body}${formatSurplus(plan.surplus, token)}`;
  return mutate(Buffer.from(text, 'latin1'), plan.mutations);
}

function formatReason(reason: ResponsePlan['reason'], token: string): string {
  const reasons: Record<ResponsePlan['reason'], string> = {
    plain: ' OK',
    none: '',
    token: ` ${token}`,
    bytes: ' \x80\xff',
  };
  return reasons[reason];
}

function formatBody(plan: ResponsePlan, token: string): [framing: string[], body: string] {
  const body = bodyText(plan.body, token);
  const chunk = body === '' ? '' : `${body.length.toString(16)};a=${token}\r\n${body}\r\n`;
  const chunks = `${chunk}0\r\n${plan.hasTrailers ? `X-Late: ${token}\r\n` : ''}\r\n`;
  const framings: Record<ResponsePlan['framing'], [string[], string]> = {
    length: [[`Content-Length: ${body.length}`], body],
    'too short': [[`Content-Length: ${Math.max(0, body.length - 7)}`], body],
    'too long': [[`Content-Length: ${body.length + 7}`], body],
    chunked: [['Transfer-Encoding: chunked'], chunks],
    'until close': [[], body],
    both: [['Content-Length: 5', 'Transfer-Encoding: chunked'], chunks],
    'not needed': [['Content-Length: 0'], ''],
  };
  return framings[plan.framing];
}

function bodyText(body: ResponsePlan['body'], token: string): string {
  const texts: Record<ResponsePlan['body'], string> = {
    empty: '',
    short: token,
    long: `${token} `.repeat(150),
    chunks: `0\r\n\r\n${fakeAnswer(token)}`,
    answer: fakeAnswer(token),
  };
  return texts[body];
}

/** What must not be taken for the answer to somebody's next request. */
function fakeAnswer(token: string): string {
  return `HTTP/1.1 200 OK\r\nX-Fake: ${token}\r\nContent-Length: ${token.length}\r\n\r\n${token}`;
}

function formatSurplus(surplus: ResponsePlan['surplus'], token: string): string {
  const texts: Record<ResponsePlan['surplus'], string> = {
    nothing: '',
    answer: fakeAnswer(token),
    interim: `HTTP/1.1 103 Early Hints\r\nLink: </${token}>\r\n\r\n`,
    letters: token,
    'line ends': '\r\n\r\n',
  };
  return texts[surplus];
}

/** What a strict client takes such bytes for. */
export interface StrictResponse {
  readonly end: 'complete' | 'broken off' | 'malformed';
  /** Whether it is whole before the connection ends. */
  readonly endsByItself: boolean;
  readonly status: number;
  readonly body: Buffer;
}

/** Reads the answer as a strict client would, behind which the connection ends with a FIN or a RST. */
export function readResponseStrictly(bytes: Buffer, isReset: boolean, toHead: boolean): StrictResponse {
  const reader = new ResponseReader(toHead);
  reader.feed(bytes);
  const endsByItself = reader.response?.ended === 'complete';
  reader.endInput(isReset ? 'reset' : 'closed');
  const { response, problem } = reader;
  const [status, body] = [response?.status ?? 0, response?.body ?? Buffer.alloc(0)];
  if (problem !== null) return { end: 'malformed', endsByItself, status, body };
  return { end: response?.ended === 'complete' ? 'complete' : 'broken off', endsByItself, status, body };
}
