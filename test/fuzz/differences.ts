/**
 * Where the gateway's reader of responses and others part, and why that is right. What is not listed here is a fault of
 * one of them.
 */
import type { Verdict } from './differential-readers.ts';

/** `strict` follows RFC 9112 to the letter; what it takes for whole is refused by choice, not by rule. */
export type ReaderName = 'strict' | 'node' | 'undici';

/** How a difference shows: one of them takes bytes for a whole response and the other does not, or both do. */
type Way = 'refused by the gateway' | 'refused by the other' | 'read differently';

export interface Difference {
  readonly name: string;
  readonly why: string;
  readonly ways: readonly Way[];
  /** What the one says that does not find a whole response. */
  readonly problem?: RegExp;
  /** What there is in the response, in Latin-1. */
  readonly response?: RegExp;
  readonly others: readonly ReaderName[];
  /** A response in which it shows, over a connection that stays open. */
  readonly example: string;
}

const OK = 'HTTP/1.1 200 OK\r\n';
const EMPTY = 'Content-Length: 0\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n';

export const DIFFERENCES: readonly Difference[] = [
  {
    name: 'a line end before the status line',
    why: 'only servers are asked to skip empty lines (RFC 9112 §2.2); before a response they are surplus of the one before',
    ways: ['refused by the gateway'],
    problem: /^(bad status line|not HTTP\/1|CR or LF alone in the head)$/,
    others: ['node', 'undici'],
    example: `\r\n${OK}${EMPTY}`,
  },
  {
    name: 'a control character in the reason',
    why: 'a reason is text (RFC 9112 §4), and clients are told it',
    ways: ['refused by the gateway'],
    problem: /^bad status line$/,
    others: ['node', 'undici'],
    example: `HTTP/1.1 200 O\x0cK\r\n${EMPTY}`,
  },
  {
    name: 'CR that stands alone',
    why: 'it ends no line (RFC 9112 §2.2); what of it is a head depends on who reads it',
    ways: ['refused by the gateway'],
    problem: /^CR or LF alone in the head$/,
    others: ['undici'],
    example: `HTTP/1.1 204 No Content\r\r\r\n`,
  },
  {
    name: 'another transfer coding than chunked',
    why: 'nobody here asks for one (RFC 9112 §7), and readers disagree on what it ends with',
    ways: ['refused by the gateway'],
    problem: /^unknown transfer coding$/,
    others: ['node', 'undici'],
    example: `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    why: 'its framing is to be taken for faulty (RFC 9112 §6.1)',
    ways: ['refused by the gateway'],
    problem: /^Transfer-Encoding in HTTP\/1\.0$/,
    others: ['strict', 'node', 'undici'],
    example: `HTTP/1.0 200 OK\r\n${CHUNKED}0\r\n\r\n`,
  },
  {
    name: '101 that was not asked for',
    why: 'nothing here switches protocols on such a request (RFC 9110 §7.8)',
    ways: ['refused by the gateway'],
    problem: /^101 that no request asked for$/,
    others: ['strict'],
    example: `HTTP/1.1 101 Switching Protocols\r\n\r\n${OK}${EMPTY}`,
  },
  {
    name: 'an interim response that declares a body',
    why: 'it must not (RFC 9110 §8.6), and what its sender takes for the body would be read as the final response',
    ways: ['refused by the gateway'],
    problem: /^an interim response that declares a body$/,
    others: ['strict', 'node', 'undici'],
    example: `HTTP/1.1 103 Early Hints\r\nContent-Length: 38\r\n\r\n${OK}${EMPTY}`,
  },
  {
    name: 'chunk extensions that are none',
    why: 'a quote left open may hide a line end from others (RFC 9112 §7.1.1); the strict reader does not look at them',
    ways: ['refused by the gateway'],
    problem: /^(a malformed chunk extension|a control character in a chunk extension)$/,
    others: ['strict'],
    example: `${OK}${CHUNKED}0;a="b\r\n\r\n`,
  },
  {
    name: 'a status line that ends behind the status',
    why: 'many origins leave out the space before an empty reason; there is only one way to read it',
    ways: ['refused by the other'],
    problem: /^status line "HTTP\/1\.[01] [1-9]\d\d"$/,
    others: ['strict'],
    example: `HTTP/1.1 200\r\n${EMPTY}`,
  },
  {
    name: '100 that was not asked for',
    why: 'it may come at any time, and means nothing then (RFC 9110 §15.2.1)',
    ways: ['refused by the other'],
    problem: /^UND_ERR_SOCKET: bad response$/,
    others: ['undici'],
    example: `HTTP/1.1 100 Continue\r\n\r\n${OK}${EMPTY}`,
  },
  {
    name: '`Connection: close` in an interim response',
    why: 'it counts in the final one (RFC 9112 §9.6), which has to come over this connection',
    ways: ['refused by the other'],
    problem: /HPE_CLOSED_CONNECTION|Data after `Connection: close`/,
    others: ['node', 'undici'],
    example: `HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n${OK}${EMPTY}`,
  },
  {
    name: 'framing fields in the trailer section',
    why: 'they frame nothing there (RFC 9110 §6.5.1), and are not passed on',
    ways: ['refused by the other'],
    problem: /HPE_INVALID_CONTENT_LENGTH|Content-Length can't be present with Transfer-Encoding/,
    response: /^transfer-encoding:[\s\S]*^content-length:/im,
    others: ['node', 'undici'],
    example: `${OK}${CHUNKED}0\r\nContent-Length: 5\r\n\r\n`,
  },
  {
    name: 'a tab behind Content-Length',
    why: 'it is no part of the value (RFC 9112 §5.1)',
    ways: ['refused by the other'],
    problem: /Invalid character in Content-Length/,
    response: /^content-length:[^\r\n]*\t[ \t]*\r$/im,
    others: ['undici'],
    example: `${OK}Content-Length: 0\t\r\n\r\n`,
  },
  {
    name: 'spaces behind Content-Length',
    why: 'they are no part of the value (RFC 9112 §5.1); undici takes them for one as it counts what has come',
    ways: ['refused by the other'],
    problem: /^UND_ERR_RES_CONTENT_LENGTH_MISMATCH/,
    response: /^content-length:[^\r\n]*[ \t]\r$/im,
    others: ['undici'],
    example: `${OK}Content-Length: 0 \r\n\r\n`,
  },
  {
    name: 'a tab behind Transfer-Encoding',
    why: 'it is no part of the value (RFC 9112 §5.1): with it llhttp does not know `chunked`, and reads until the end',
    ways: ['refused by the other', 'read differently'],
    response: /^transfer-encoding:[^\r\n]*\t[ \t]*\r$/im,
    others: ['node', 'undici'],
    example: `${OK}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'white space within chunk extensions',
    why: 'bad, but to be read (RFC 9112 §7.1.1), and the line ends where it ends',
    ways: ['refused by the other'],
    problem: /HPE_STRICT|Invalid character in chunk extensions/,
    others: ['node', 'undici'],
    example: `${OK}${CHUNKED}0; a = b\r\n\r\n`,
  },
];

/** What sets a verdict apart from the gateway's. */
export interface Divergence {
  readonly what: string;
  /** Empty where nothing in the table explains it. */
  readonly explanations: readonly Difference[];
}

/** What another reader has made of a response. */
export interface OtherVerdict {
  readonly name: ReaderName;
  readonly verdict: Verdict;
}

/** @param isHead whether the response answers a HEAD request */
export function findDivergence(
  bytes: Buffer,
  isHead: boolean,
  gateway: Verdict,
  { name, verdict }: OtherVerdict,
): Divergence | null {
  const found = compare(gateway, verdict, isHead);
  if (found === null) return null;
  const [way, problem] = found;
  const response = bytes.toString('latin1');
  const explanations = DIFFERENCES.filter(
    (row) =>
      row.ways.includes(way) &&
      row.others.includes(name) &&
      (row.problem?.test(problem) ?? true) &&
      (row.response?.test(response) ?? true),
  );
  return { what: `${way}: ${problem}`, explanations };
}

function compare(gateway: Verdict, other: Verdict, isHead: boolean): [way: Way, problem: string] | null {
  if (gateway.isWhole && !other.isWhole) return ['refused by the other', other.problem];
  if (!gateway.isWhole && other.isWhole) return ['refused by the gateway', gateway.problem];
  if (!gateway.isWhole) return null;
  const [ours, theirs] = [contentOf(gateway, gateway), contentOf(other, gateway)];
  if (ours !== theirs) return ['read differently', `${theirs}, and by the gateway ${ours}`];
  // Of any answer to HEAD without a length Node believes that it ends with the connection.
  const mustClose = gateway.keepsAlive && other.keepsAlive === false && !isHead;
  return mustClose ? ['read differently', 'it would close the connection'] : null;
}

function contentOf(verdict: Verdict, { reason }: Verdict): string {
  const { status, interim, body } = verdict;
  const [fields, trailers] = [verdict.fields.map(trimBlanks), verdict.trailers.map(trimBlanks)];
  return JSON.stringify({ status, reason: verdict.reason ?? reason, interim, fields, body, trailers });
}

/** undici leaves some of the white space behind values, which is no part of them (RFC 9112 §5.1). */
function trimBlanks(text: string): string {
  return text.replace(/[ \t]+$/, '');
}
