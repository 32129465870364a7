/**
 * What reading a response costs, in the gateway's parser and in Node's: the head, its fields, and the framing of the
 * body, without a socket. Run: node benchmarks/response-parser.ts [rounds]
 */
import { ResponseParser, type ResponseSink } from '../lib/proxy/http1/response-parser.ts';
import { NodeResponseParser, type NodeResponseSink } from '../test/helpers/node-response-parser.ts';
import { percentile } from './support/figures.ts';

const RESPONSES_PER_ROUND = 100_000;
const ROUND_COUNT = Number(process.argv[2] ?? 7);

const FIELDS = [
  'Content-Type: application/json; charset=utf-8',
  'Date: Mon, 23 Nov 2026 10:00:00 GMT',
  'Server: nginx/1.27.0',
  'Connection: keep-alive',
  'Cache-Control: no-cache, no-store, max-age=0',
  'ETag: "5f3e1c0a-1b2"',
  'Vary: Accept-Encoding',
];
const MORE_FIELDS = [
  'Last-Modified: Sun, 22 Nov 2026 09:00:00 GMT',
  'Set-Cookie: session=0123456789abcdef0123456789abcdef; Path=/; HttpOnly; Secure; SameSite=Lax',
  'Strict-Transport-Security: max-age=31536000; includeSubDomains',
  "Content-Security-Policy: default-src 'self'; img-src *; script-src 'self' cdn.example.com",
  'X-Content-Type-Options: nosniff',
  'X-Frame-Options: DENY',
  'Referrer-Policy: no-referrer',
  'Access-Control-Allow-Origin: https://www.example.com',
  'X-Request-Id: 7d3e2b1c-0f4a-4e5d-9c8b-6a7f1e2d3c4b',
  'X-Runtime: 0.012345',
  'Keep-Alive: timeout=5',
  'Accept-Ranges: bytes',
];
const BODY = '{"id":17}\r\n\r\n';

function messageOf(fields: readonly string[], body: string): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\n${fields.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}

const LENGTH = `Content-Length: ${BODY.length}`;
const CHUNKED = 'Transfer-Encoding: chunked';
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

/** Each in the pieces in which it comes. */
const RESPONSES: readonly (readonly [name: string, pieces: readonly Buffer[]])[] = [
  ['8 fields, Content-Length', [messageOf([...FIELDS, LENGTH], BODY)]],
  ['20 fields, Content-Length', [messageOf([...FIELDS, ...MORE_FIELDS, LENGTH], BODY)]],
  ['8 fields, one chunk', [messageOf([...FIELDS, CHUNKED], `${chunk(BODY)}0\r\n\r\n`)]],
  ['8 fields, 20 chunks', [messageOf([...FIELDS, CHUNKED], `${chunk(BODY).repeat(20)}0\r\n\r\n`)]],
  ['8 fields, in two pieces', halve(messageOf([...FIELDS, LENGTH], BODY))],
];

function halve(bytes: Buffer): Buffer[] {
  return [bytes.subarray(0, bytes.length >>> 1), bytes.subarray(bytes.length >>> 1)];
}

/** Counts what it is told, so that nothing can be left out. */
class Counter implements ResponseSink, NodeResponseSink {
  fieldCount = 0;
  bodyBytes = 0;
  responseCount = 0;

  onInterim(): void {}

  onHead(_status: number, _reason: string, fields: string[]): void {
    this.fieldCount += fields.length;
  }

  onBody(bytes: Buffer): void {
    this.bodyBytes += bytes.length;
  }

  onComplete(): void {
    this.responseCount += 1;
  }
}

type Read = (pieces: readonly Buffer[]) => void;

/** Each reads one response after another, as on a connection that is kept. */
const PARSERS: Record<string, (counter: Counter) => Read> = {
  gateway: (counter) => {
    const parser = new ResponseParser(counter);
    return (pieces) => {
      parser.begin('GET');
      for (const piece of pieces) parser.read(piece);
    };
  },
  node: (counter) => {
    const parser = new NodeResponseParser(counter, 'GET');
    return (pieces) => {
      for (const piece of pieces) parser.read(piece);
    };
  },
};

/** CPU time, as others may use the machine as well. */
function measureNs(read: Read, pieces: readonly Buffer[]): number {
  const start = process.cpuUsage();
  for (let count = 0; count < RESPONSES_PER_ROUND; count += 1) read(pieces);
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1_000) / RESPONSES_PER_ROUND;
}

/** The parsers in turn, so that a slow moment of the machine meets both. */
function measureRow(name: string, pieces: readonly Buffer[]): Record<string, string | number> {
  const contenders = Object.entries(PARSERS).map(([parser, create]) => {
    const counter = new Counter();
    return { parser, counter, read: create(counter), rounds: [] as number[] };
  });
  for (let round = 0; round <= ROUND_COUNT; round += 1) {
    for (const { read, rounds } of contenders) rounds.push(measureNs(read, pieces));
  }
  const row: Record<string, string | number> = { response: name };
  for (const { parser, counter, rounds } of contenders) {
    if (counter.responseCount !== RESPONSES_PER_ROUND * (ROUND_COUNT + 1))
      throw new Error(`${parser} read less`);
    // The first round warms up.
    const measured = rounds.slice(1);
    row[`${parser}, CPU ns: median (minimum)`] =
      `${Math.round(percentile(measured, 50))} (${Math.round(Math.min(...measured))})`;
  }
  return row;
}

console.table(RESPONSES.map(([name, pieces]) => measureRow(name, pieces)));
