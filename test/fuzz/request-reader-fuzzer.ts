/**
 * Mutated requests to two readers, the gateway's and Node's HTTP server. What is held:
 *
 * 1. Where both take bytes for a request, it is the same: method, target, fields, body, trailers, and with them where it
 *    ends, so that what follows is the same, too. No connection is kept that Node would close.
 * 2. Where one of them finds a request, or its end, and the other does not, the table of differences says why.
 * 3. What cannot be framed is never admitted.
 * 4. In whatever pieces the bytes come, the gateway's reader says the same, and fails with its own error only.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Fuzzer } from './fuzzer.ts';
import { FuzzFault } from './ledger.ts';
import { COMMON_SNIPPETS, cutIntoPieces, type Mutation, mutate, mutations } from './mutations.ts';
import { findRequestDivergence } from './request-differences.ts';
import { formatPlan, REQUEST_SNIPPETS, requestPlan } from './request-grammar.ts';
import { type RequestsVerdict, readAsGateway, readAsNode } from './request-readers.ts';

/** What readers of requests have read differently, besides. */
const SNIPPETS: readonly string[] = [
  ...COMMON_SNIPPETS,
  ...REQUEST_SNIPPETS,
  ' HTTP/1.1\r\n',
  ' HTTP/1.2\r\n',
  'HTTP/0.9',
  'HTTP/2.0',
  'GET /\r\n\r\n',
  'get / HTTP/1.1\r\n',
  'M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n',
  'SOURCE / ICE/1.0\r\nHost: a\r\n\r\n',
  'DESCRIBE / RTSP/1.0\r\n\r\n',
  'QUERY / HTTP/1.1\r\n',
  '#a',
  '?a?b',
  'https://u@localhost:1/',
  '*',
  'Content-Length: \r\n',
  'Content-Length : 5\r\n',
  'Content-Length: 5 5\r\n',
  'Content-Length: 5\t\r\n',
  'Content-Length: 5\r\n ,5\r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Transfer-Encoding: "chunked"\r\n',
  'Transfer-Encoding: chunked;a=b\r\n',
  'Transfer-Encoding: \xa0chunked\r\n',
  'Transfer-Encoding: chunked\t\r\n',
  'Transfer-Encoding:\r\n chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding: \r\n',
  'Connection: \tclose ,\r\n',
  'Connection: keep-alive, close\r\n',
  'Proxy-Connection: close\r\n',
  'X: a\r\n b\r\n',
  'X: a\r\n\tb\r\n',
  ';a="b',
  ';a="b"c',
  '; a = "b\\""',
  ';',
  '\x0c',
  '\x85',
];

/** Requests of little else than what readers may disagree on, most of them wrong. */
const LINES = ['GET / HTTP/1.1', 'POST / HTTP/1.1', 'POST / HTTP/1.0', 'HEAD http://a/ HTTP/1.1'];
const FIELDS = [
  'Host: a',
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 05 ',
  'Content-Length:\t5\t',
  'Content-Length: 5x',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked ',
  'Transfer-Encoding: ,chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding:',
  'Connection: close',
  'Connection: Keep-Alive',
  'Connection: a, Upgrade ,close',
  'Upgrade: b',
  'X:',
  'X: \t a\xff\t ',
  'X\t: a',
  'X: a\x0bb',
];
const CONTENTS = [
  '',
  'abcde',
  '0\r\n\r\n',
  '5\r\nabcde\r\n0\r\n\r\n',
  '0005;a\r\nabcde\r\n000\r\nX: a\r\n\r\n',
  '5;a=b;c="d;\\"e"\r\nabcde\r\n0;f\r\nX:a\r\nY: \t\r\n\r\n',
  '5;a=b\xff"\r\nabcde\r\n0\r\n\r\n',
  '5;a="b"c\r\nabcde\r\n0\r\n\r\n',
  '5;\t\r\nabcde\r\n0\r\n\r\n',
  '5\r\nabcdef\r\n0\r\n\r\n',
  '5\r\nabcdef\n0\r\n\r\n',
  '5\nabcde\r\n0\r\n\r\n',
  '5\r\nabcde\n0\r\n\r\n',
  '5\r\nabcde\r\n0\r\nX: a\n\r\n',
  '5\r\nabcde\r\n0\r\nX : a\r\n\r\n',
  '5\r\nabcde\r\n0\r\n b\r\n\r\n',
];

const bareRequest: fc.Arbitrary<string> = fc
  .record({
    line: fc.constantFrom(...LINES),
    fields: fc.array(fc.constantFrom(...FIELDS), { maxLength: 3 }),
    content: fc.constantFrom(...CONTENTS),
  })
  .map(({ line, fields, content }) => `${[line, 'Host: a', ...fields].join('\r\n')}\r\n\r\n${content}`);

const wellFormedRequest = requestPlan.map((plan) => formatPlan(plan, 'marker').toString('latin1'));

interface RequestReadingPlan {
  readonly requests: readonly string[];
  readonly mutations: readonly Mutation[];
  readonly cuts: readonly number[];
}

const requestReadingPlan: fc.Arbitrary<RequestReadingPlan> = fc.record({
  requests: fc.array(fc.oneof(wellFormedRequest, bareRequest), { minLength: 1, maxLength: 3 }),
  mutations: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: mutations(SNIPPETS) },
  ),
  cuts: fc.array(fc.integer({ min: 0, max: 9_999 }), { maxLength: 4 }),
});

export class RequestReaderFuzzer implements Fuzzer<RequestReadingPlan> {
  readonly inputs = requestReadingPlan;
  inputCount = 0;
  /** There is no origin. */
  readonly requestCount = 0;
  /** How often each of the known differences showed. */
  readonly explained = new Map<string, number>();

  /** @throws FuzzFault */
  async run(plan: RequestReadingPlan): Promise<void> {
    this.inputCount += 1;
    const bytes = mutate(Buffer.from(plan.requests.join(''), 'latin1'), plan.mutations);
    const pieces = cutIntoPieces(bytes, plan.cuts);
    const gateway = readInAnyPieces(bytes, pieces);
    this.#note(bytes, gateway, await readAsNode(pieces));
  }

  async finish(): Promise<void> {}

  #note(bytes: Buffer, gateway: RequestsVerdict, node: RequestsVerdict): void {
    const divergence = findRequestDivergence(bytes, gateway, node);
    if (divergence === null) return;
    const { what, explanations } = divergence;
    if (explanations.length === 0) throw new FuzzFault('unexplained difference', what, bytes);
    for (const { name } of explanations) this.explained.set(name, (this.explained.get(name) ?? 0) + 1);
  }
}

/** Which fault is found first may depend on the pieces, that there is one does not. */
function readInAnyPieces(bytes: Buffer, pieces: readonly Buffer[]): RequestsVerdict {
  const verdict = readAsGateway(pieces);
  const contentOf = ({ requests, problem }: RequestsVerdict) => ({ requests, isRefused: problem !== '' });
  const bySingleBytes = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
  for (const others of [[bytes].filter(({ length }) => length > 0), bySingleBytes]) {
    const other = readAsGateway(others);
    if (!isDeepStrictEqual(contentOf(verdict), contentOf(other)))
      throw new FuzzFault(
        'unexplained difference',
        `in ${others.length} pieces: ${JSON.stringify(other)}`,
        bytes,
      );
  }
  return verdict;
}

/** As the other fuzzers are started; it needs nothing that would have to be released. */
export async function startRequestReaderFuzzer(): Promise<RequestReaderFuzzer> {
  return new RequestReaderFuzzer();
}
