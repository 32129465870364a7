/**
 * Mutated responses, each to four readers: the gateway's, one that follows RFC 9112 to the letter, Node's and undici's.
 * What is held:
 *
 * 1. Where the gateway and another one take bytes for a whole response, it is the same: status, fields, body, trailers,
 *    and with them where it ends. No connection is kept that Node would close.
 * 2. Where one of them takes them for a whole response and the other does not, the table of differences says why.
 * 3. In whatever pieces the bytes come, the gateway's reader says the same, and fails with its own error only.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { findDivergence, type OtherVerdict } from './differences.ts';
import {
  type DeliveredResponse,
  readAsGateway,
  readAsNode,
  readAsStrict,
  readAsUndici,
  type Verdict,
} from './differential-readers.ts';
import type { Fuzzer } from './fuzzer.ts';
import { FuzzFault } from './ledger.ts';
import { COMMON_SNIPPETS, cutIntoPieces, type Mutation, mutate, mutations } from './mutations.ts';
import { formatResponse, type ResponsePlan, responsePlan } from './response-grammar.ts';

/** What readers of responses have read differently, besides. */
const SNIPPETS: readonly string[] = [
  ...COMMON_SNIPPETS,
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n',
  'Content-Length: 5\r\n',
  'Content-Length : 5\r\n',
  'Content-Length: 5 5\r\n',
  'Content-Length: 0x5\r\n',
  'Content-Length: \r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Transfer-Encoding: chunked;a=b\r\n',
  'Transfer-Encoding: "chunked"\r\n',
  'Transfer-Encoding:\r\n chunked\r\n',
  'Transfer-Encoding: \xa0chunked\r\n',
  'X: a\r\n b\r\n',
  ';a="b',
  '; a = "b\\""',
  ';a="b"c',
  '\x0c',
  '\x85',
  '\xa0',
];

interface DifferentialPlan {
  readonly method: 'GET' | 'HEAD';
  readonly response: ResponsePlan;
  readonly mutations: readonly Mutation[];
  readonly cuts: readonly number[];
  readonly closes: boolean;
}

const differentialPlan: fc.Arbitrary<DifferentialPlan> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
  response: responsePlan,
  mutations: fc.oneof(fc.constant([]), mutations(SNIPPETS)),
  cuts: fc.array(fc.integer({ min: 0, max: 9_999 }), { maxLength: 4 }),
  closes: fc.boolean(),
});

export class DifferentialFuzzer implements Fuzzer<DifferentialPlan> {
  readonly inputs = differentialPlan;
  inputCount = 0;
  /** There is no origin. */
  readonly requestCount = 0;
  /** How often each of the known differences showed. */
  readonly explained = new Map<string, number>();

  /** @throws FuzzFault */
  async run(plan: DifferentialPlan): Promise<void> {
    this.inputCount += 1;
    const bytes = mutate(formatResponse(plan.response, 'token'), plan.mutations);
    const delivered = { ...plan, pieces: cutIntoPieces(bytes, plan.cuts) };
    const gateway = readInAnyPieces(delivered, bytes);
    const others: OtherVerdict[] = [
      { name: 'strict', verdict: readAsStrict(delivered) },
      { name: 'node', verdict: readAsNode(delivered) },
      { name: 'undici', verdict: await readAsUndici(delivered) },
    ];
    for (const other of others) this.#compare(bytes, plan.method === 'HEAD', gateway, other);
  }

  async finish(): Promise<void> {}

  #compare(bytes: Buffer, isHead: boolean, gateway: Verdict, other: OtherVerdict): void {
    const divergence = findDivergence(bytes, isHead, gateway, other);
    if (divergence === null) return;
    const { what, explanations } = divergence;
    if (explanations.length === 0)
      throw new FuzzFault('unexplained difference', `${other.name}: ${what}`, bytes);
    for (const explanation of explanations)
      this.explained.set(explanation.name, (this.explained.get(explanation.name) ?? 0) + 1);
  }
}

/** Whether surplus comes with the end of a response, and so costs the connection, depends on the pieces. */
function readInAnyPieces(delivered: DeliveredResponse, bytes: Buffer): Verdict {
  const verdict = readAsGateway(delivered);
  const contentOf = (other: Verdict) => ({ ...other, keepsAlive: null, problem: other.problem !== '' });
  for (const pieces of [[bytes].filter(({ length }) => length > 0), splitIntoBytes(bytes)]) {
    const other = readAsGateway({ ...delivered, pieces });
    if (!isDeepStrictEqual(contentOf(verdict), contentOf(other)))
      throw new FuzzFault('unexplained difference', `in ${pieces.length} pieces: ${show(other)}`, bytes);
  }
  return verdict;
}

function splitIntoBytes(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
}

function show(verdict: Verdict): string {
  return JSON.stringify(verdict);
}

/** As the other fuzzers are started; it needs nothing that would have to be released. */
export async function startDifferentialFuzzer(): Promise<DifferentialFuzzer> {
  return new DifferentialFuzzer();
}
