/**
 * Where the gateway's reader of requests and Node's HTTP server part, and why that is right. What is not listed here is
 * a fault of one of them. What Node refuses and the gateway serves is to be explained with most care.
 */
import type { RequestsVerdict, RequestVerdict } from './request-readers.ts';

/** How a difference shows: one of them finds a request, or its end, where the other finds none, or both do. */
type Way = 'refused by the gateway' | 'refused by Node' | 'read differently';

export interface RequestDifference {
  readonly name: string;
  readonly why: string;
  readonly way: Way;
  /** What the one says that refuses, or how they read. */
  readonly problem: RegExp;
  /** What there is in the bytes, in Latin-1. */
  readonly bytes?: RegExp;
  /** A request in which it shows. */
  readonly example: string;
}

const HEAD = 'HTTP/1.1\r\nHost: a\r\n';
const CHUNKED = `POST / ${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

export const REQUEST_DIFFERENCES: readonly RequestDifference[] = [
  {
    name: 'more or less than one Host, or none that is valid',
    why: 'to be answered with 400 (RFC 9112 §3.2); Node looks at most whether there is one, and here it is told not to',
    way: 'refused by the gateway',
    problem: /^GW_ERR_BAD_HOST: /,
    example: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  },
  {
    name: 'another version than HTTP/1.0 and HTTP/1.1',
    why: 'it is not spoken here (RFC 9110 §15.6.6); Node answers it as if it were HTTP/1.1',
    way: 'refused by the gateway',
    problem: /^GW_ERR_VERSION_NOT_SUPPORTED: /,
    example: 'GET / HTTP/2.0\r\nHost: a\r\n\r\n',
  },
  {
    name: 'a target that has no canonical form',
    why: 'an origin could take it for another one than the route was chosen by',
    way: 'refused by the gateway',
    problem: /^GW_ERR_BAD_TARGET: /,
    example: `GET /../a ${HEAD}\r\n`,
  },
  {
    name: 'a request line with more than one space, with LF alone, or of another protocol',
    why: 'it may be refused (RFC 9112 §2.2, §3): where its parts begin and end is a matter of who reads it',
    way: 'refused by the gateway',
    problem: /^(bad request line|CR or LF alone in the head)$/,
    example: `GET  / ${HEAD}\r\n`,
  },
  {
    name: 'a method of RTSP',
    why: 'no method of HTTP; Node tells it from its own only by the version',
    way: 'refused by the gateway',
    problem: /^unknown method$/,
    bytes: /(DESCRIBE|ANNOUNCE|SETUP|PLAY|PAUSE|TEARDOWN|(GET|SET)_PARAMETER|REDIRECT|RECORD|FLUSH) .*RTSP/,
    example: 'DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n',
  },
  {
    name: 'another transfer coding before chunked',
    why: 'to be answered with 501 (RFC 9112 §6.1): nobody here decodes it, and the origin would not be told of it',
    way: 'refused by the gateway',
    problem: /^GW_ERR_CODING_NOT_IMPLEMENTED: /,
    example: `POST / ${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    why: 'its framing is to be taken for faulty (RFC 9112 §6.1)',
    way: 'refused by the gateway',
    problem: /^GW_ERR_BAD_REQUEST: Transfer-Encoding in HTTP\/1\.0$/,
    example: 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  },
  {
    name: 'a second Transfer-Encoding field',
    why: 'both are one list (RFC 9112 §6.1), of which chunked may be the last only; Node looks at one field at a time',
    way: 'refused by the gateway',
    problem: /^GW_ERR_BAD_REQUEST: the last Transfer-Encoding is not chunked/,
    bytes: /^transfer-encoding:[\s\S]*^transfer-encoding:/im,
    example: `POST / ${HEAD}Transfer-Encoding: chunked\t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'a chunk size of more than twelve digits',
    why: 'zeros in front are of use to nobody, and beyond 2^48 no body ends',
    way: 'refused by the gateway',
    problem: /^a chunk size that is no hexadecimal number, or too large$/,
    example: `${CHUNKED}0000000000001\r\na\r\n0\r\n\r\n`,
  },
  {
    name: 'a chunk extension whose value is missing',
    why: 'behind the equals sign there has to be one (RFC 9112 §7.1.1)',
    way: 'refused by the gateway',
    problem: /^a malformed chunk extension$/,
    example: `${CHUNKED}1;a=\r\na\r\n0\r\n\r\n`,
  },
  {
    name: 'white space within chunk extensions',
    why: 'bad, but to be read (RFC 9112 §7.1.1), and the line ends where it ends',
    way: 'refused by Node',
    problem: /^HPE_STRICT: Parse Error: Invalid character in chunk extensions/,
    bytes: /^[0-9a-f]+;.*[ \t]/im,
    example: `${CHUNKED}1; a = b\r\na\r\n0\r\n\r\n`,
  },
  {
    name: 'a tab behind Transfer-Encoding',
    why: 'it is no part of the value (RFC 9112 §5.1): with it llhttp does not know `chunked`',
    way: 'refused by Node',
    problem: /^HPE_INVALID_TRANSFER_ENCODING: /,
    bytes: /^transfer-encoding:[^\r\n]*\t[ \t]*\r$/im,
    example: `POST / ${HEAD}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`,
  },
  {
    name: 'framing fields in the trailer section',
    why: 'they frame nothing there (RFC 9110 §6.5.1), and are not passed on',
    way: 'refused by Node',
    problem: /^HPE_(INVALID_CONTENT_LENGTH|INVALID_TRANSFER_ENCODING|UNEXPECTED_CONTENT_LENGTH): /,
    bytes: /^transfer-encoding:[\s\S]*^(content-length|transfer-encoding):/im,
    example: `${CHUNKED}0\r\nContent-Length: 5\r\n\r\n`,
  },
  {
    name: 'what trailers say of the connection',
    why: 'nothing (RFC 9110 §6.5.1): it is said in the head (RFC 9112 §9.3)',
    way: 'refused by Node',
    problem: /^HPE_CLOSED_CONNECTION: /,
    bytes: /^transfer-encoding:[\s\S]*^(proxy-)?connection:/im,
    example: `${CHUNKED}0\r\nConnection: close\r\n\r\nGET / ${HEAD}\r\n`,
  },
  {
    name: '`Proxy-Connection: close`',
    why: 'no field of HTTP (RFC 9112 §C.2.2); it is not passed on, and the client may close whenever it likes',
    way: 'read differently',
    problem: /^Node would close the connection$/,
    bytes: /^proxy-connection:/im,
    example: `GET / ${HEAD}Proxy-Connection: close\r\n\r\n`,
  },
];

/** What sets Node's verdict apart from the gateway's. */
interface RequestDivergence {
  readonly what: string;
  /** Empty where nothing in the table explains it. */
  readonly explanations: readonly RequestDifference[];
}

/** The first difference of two verdicts of the same bytes; null where there is none. */
export function findRequestDivergence(
  bytes: Buffer,
  gateway: RequestsVerdict,
  node: RequestsVerdict,
): RequestDivergence | null {
  const found = compare(gateway, node);
  if (found === null) return null;
  const [way, problem] = found;
  const text = bytes.toString('latin1');
  const explanations = REQUEST_DIFFERENCES.filter(
    (row) => row.way === way && row.problem.test(problem) && (row.bytes?.test(text) ?? true),
  );
  return { what: `${way}: ${problem}`, explanations };
}

type Found = readonly [way: Way, problem: string];

function compare(gateway: RequestsVerdict, node: RequestsVerdict): Found | null {
  for (let index = 0; ; index += 1) {
    const [ours, theirs] = [gateway.requests[index], node.requests[index]];
    const found = compareRequests(ours, theirs, gateway.problem, node.problem);
    if (found !== null || ours === undefined || theirs === undefined) return found;
    // Node's server loses what comes together with a request whose upgrade it does not make.
    if (!ours.isWhole || !ours.keepsAlive || !theirs.keepsAlive || ours.asksForUpgrade) return null;
  }
}

/** `undefined` where there is no head. */
function compareRequests(
  ours: RequestVerdict | undefined,
  theirs: RequestVerdict | undefined,
  ourProblem: string,
  theirProblem: string,
): Found | null {
  if (ours === undefined && theirs === undefined) return null;
  if (ours === undefined) return ['refused by the gateway', ourProblem];
  if (theirs === undefined)
    return ours.isAdmitted || theirProblem === '' ? ['refused by Node', theirProblem] : null;
  const differingHeads = compareHeads(ours, theirs);
  if (differingHeads !== null) return ['read differently', differingHeads];
  // Where an upgrade is asked for, Node's server takes an unknown coding for no body, and says of no body what is wrong.
  if (ours.asksForUpgrade) return null;
  const differing = compareContents(ours, theirs);
  if (differing !== null) return ['read differently', differing];
  if (ours.isWhole !== theirs.isWhole)
    return ours.isWhole ? ['refused by Node', theirProblem] : ['refused by the gateway', ourProblem];
  return ours.isWhole && ours.keepsAlive && !theirs.keepsAlive
    ? ['read differently', 'Node would close the connection']
    : null;
}

function compareHeads(ours: RequestVerdict, theirs: RequestVerdict): string | null {
  const headOf = ({ method, target, version, fields }: RequestVerdict) =>
    JSON.stringify({ method, target, version, fields });
  return headOf(ours) === headOf(theirs) ? null : `${headOf(theirs)}, and by the gateway ${headOf(ours)}`;
}

/** Of a body that is not whole one of them may have seen more. */
function compareContents(ours: RequestVerdict, theirs: RequestVerdict): string | null {
  const areWhole = ours.isWhole && theirs.isWhole;
  const contentOf = ({ body, trailers }: RequestVerdict) => JSON.stringify({ body, trailers });
  const areAlike = areWhole
    ? contentOf(ours) === contentOf(theirs)
    : ours.body.startsWith(theirs.body) || theirs.body.startsWith(ours.body);
  return areAlike ? null : `${contentOf(theirs)}, and by the gateway ${contentOf(ours)}`;
}
