/** Requests as clients may send them: well-formed ones in every shape, as plain data, and the bytes they make. */
import fc from 'fast-check';

export interface RequestPlan {
  readonly method: string;
  readonly target: 'plain' | 'query' | 'absolute' | 'dots' | 'escapes';
  readonly version: '1.1' | '1.0';
  /** Which of the fields below go in, by index. */
  readonly fields: readonly number[];
  readonly framing: 'none' | 'length' | 'chunked';
  readonly bodyParts: readonly BodyPart[];
  readonly hasTrailers: boolean;
  readonly asks: 'nothing' | 'close' | 'keep-alive' | 'websocket' | 'h2c' | 'continue' | 'te';
}

interface BodyPart {
  readonly text: 'canary' | 'chunks' | 'letters' | 'bytes';
  readonly extension: 'none' | 'name' | 'quoted canary';
}

const METHODS = ['GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

/** Which of them hold a canary: the line of a request that nobody sent as one. */
const FIELDS: readonly ((canary: string) => string)[] = [
  () => 'Accept: */*',
  () => 'X-Empty:',
  () => 'X-Spaced:  \t a b \t',
  () => 'X-Obsolete: \x80\xff',
  () => 'Cookie: a=b; c=d',
  () => 'Via: 1.1 somebody',
  () => 'X-Forwarded-For: 127.9.9.9',
  () => 'x_forwarded_for: 127.9.9.9',
  () => 'Content_Length: 5',
  () => 'Authorization: Basic YTpi',
  (canary) => `X-Canary: ${canary}`,
  (canary) => `X-Escaped: a%0d%0a%0d%0a${canary}`,
  (canary) => `User-Agent: ${canary} Host: localhost`,
];

const bodyPart: fc.Arbitrary<BodyPart> = fc.record({
  text: fc.constantFrom('canary', 'chunks', 'letters', 'bytes'),
  extension: fc.constantFrom('none', 'none', 'name', 'quoted canary'),
});

const anyPlan: fc.Arbitrary<RequestPlan> = fc.record({
  method: fc.constantFrom(...METHODS),
  target: fc.constantFrom('plain', 'plain', 'query', 'absolute', 'dots', 'escapes'),
  version: fc.constantFrom('1.1', '1.1', '1.1', '1.1', '1.1', '1.1', '1.1', '1.0'),
  fields: fc.uniqueArray(fc.nat(FIELDS.length - 1), { maxLength: 4 }),
  framing: fc.constantFrom('none', 'length', 'chunked'),
  bodyParts: fc.array(bodyPart, { maxLength: 3 }),
  hasTrailers: fc.boolean(),
  asks: fc.constantFrom(
    ...(['nothing', 'nothing', 'nothing', 'nothing', 'close', 'keep-alive'] as const),
    ...(['websocket', 'h2c', 'continue', 'te'] as const),
  ),
});

/** Few of those that ask for a WebSocket would have what else that takes. */
const webSocketPlan = anyPlan.map(
  (plan) => ({ ...plan, method: 'GET', version: '1.1', framing: 'none', asks: 'websocket' }) as const,
);

export const requestPlan: fc.Arbitrary<RequestPlan> = fc.oneof(
  { weight: 9, arbitrary: anyPlan },
  { weight: 1, arbitrary: webSocketPlan },
);

/** What may be spliced in besides the common snippets. */
export const REQUEST_SNIPPETS: readonly string[] = [
  'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /smuggled HTTP/1.1\nHost: localhost\n\n',
  '\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\nX: ',
  '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'Content-Length: 9007199254740993\r\n',
  'Content-Length: 18446744073709551615\r\n',
  'Content-Length: 00000000000000000007\r\n',
  'Host: other\r\n',
  'Expect: 100-continue\r\n',
  'Connection: upgrade\r\nUpgrade: websocket\r\n',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n',
];

/** The bytes of a request. `marker` tells whose it is, wherever a part of it turns up. */
export function formatPlan(plan: RequestPlan, marker: string): Buffer {
  const lines = [
    `${plan.method} ${formatTarget(plan.target, marker)} HTTP/${plan.version}`,
    'Host: localhost',
    `X-Marker: ${marker}`,
    ...plan.fields.map((index) => FIELDS[index]?.(canaryLine(marker)) ?? ''),
    ...listAsked(plan, marker),
  ];
  const [framing, body] = formatBody(plan, marker);
  return Buffer.from(`${[...lines, ...framing].join('\r\n')}\r\n\r\n${body}`, 'latin1');
}

function canaryLine(marker: string): string {
  return `GET /smuggled-${marker} HTTP/1.1`;
}

function formatTarget(form: RequestPlan['target'], marker: string): string {
  const targets: Record<RequestPlan['target'], string> = {
    plain: `/f/${marker}`,
    query: `/f/${marker}?a=b&c=%0d%0aGET%20/smuggled`,
    absolute: `http://localhost/f/${marker}`,
    dots: `/x/..//f/./${marker}`,
    escapes: `/%66/${marker}/%7Ea%e4`,
  };
  return targets[form];
}

function listAsked(plan: RequestPlan, marker: string): string[] {
  const asked: Record<RequestPlan['asks'], string[]> = {
    nothing: [],
    close: ['Connection: close'],
    'keep-alive': ['Connection: keep-alive, X-Named', `X-Named: ${marker}`],
    websocket: [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ],
    h2c: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
    continue: ['Expect: 100-continue'],
    te: ['TE: trailers, deflate', 'Connection: TE'],
  };
  return asked[plan.asks];
}

function formatBody(plan: RequestPlan, marker: string): [framing: string[], body: string] {
  const parts = plan.bodyParts.map((part) => formatPart(part, marker));
  // An HTTP/1.0 client has no chunks.
  const framing = plan.framing === 'chunked' && plan.version === '1.0' ? 'length' : plan.framing;
  if (framing === 'none') return [[], ''];
  if (framing === 'length') {
    const body = parts.join('');
    return [[`Content-Length: ${body.length}`], body];
  }
  const chunks = parts.map((text, index) => formatChunk(text, plan.bodyParts[index]?.extension, marker));
  const trailers = plan.hasTrailers ? `X-Late: ${marker}\r\nX-Trailing: ${canaryLine(marker)}\r\n` : '';
  const announced = plan.hasTrailers ? ['Trailer: X-Late'] : [];
  return [['Transfer-Encoding: chunked', ...announced], `${chunks.join('')}0\r\n${trailers}\r\n`];
}

function formatPart(part: BodyPart, marker: string): string {
  const canary = `${canaryLine(marker)}\r\nHost: localhost\r\n\r\n`;
  const texts: Record<BodyPart['text'], string> = {
    canary,
    chunks: `0\r\n\r\n${canary}`,
    letters: `body of ${marker}`,
    bytes: '\0\x01\x80\xff\r\n\n\r',
  };
  return texts[part.text];
}

function formatChunk(text: string, extension: BodyPart['extension'] = 'none', marker: string): string {
  const extensions: Record<BodyPart['extension'], string> = {
    none: '',
    name: ';a=b',
    'quoted canary': `;a="${canaryLine(marker)}"`,
  };
  return `${text.length.toString(16)}${extensions[extension]}\r\n${text}\r\n`;
}
