/**
 * Says what an observation means. A case passes where one of its requirements holds and all of these do, which
 * are the same for every case: no request has reached the origin that the gateway did not see; what did reach it
 * is well-formed and has one reading; the client got well-formed answers, and the next client its own.
 */
import type { HeaderField } from '../helpers/http-message.ts';
import type { ConformanceCase } from './conformance-case.ts';
import type { ClientSide, Observation } from './observation.ts';
import { ownRequests } from './requirements.ts';

export interface Verdict {
  readonly passes: boolean;
  /** False where an attacker could make use of what happened, whatever else is right or wrong. */
  readonly isSafe: boolean;
  /** What happened, in a few words. */
  readonly happened: string;
}

const MAX_SHOWN_CHARACTERS = 100;

export function judge(tested: ConformanceCase, seen: Observation): Verdict {
  const danger = findDanger(seen);
  const fault = danger ?? findFault(seen);
  // Where the origin's answer is the case, its request is a plain one.
  const facts = fault ?? (tested.answers === undefined ? describeOrigin(seen) : null);
  return {
    passes: fault === null && tested.expects.some(({ holds }) => holds(seen)),
    isSafe: danger === null,
    happened: [describeClient(seen.client), ...(facts === null ? [] : [facts])].join('; '),
  };
}

/** What an attacker could make use of, null where nothing is. */
function findDanger({ client, origin, nextClient }: Observation): string | null {
  if (origin.lenient.some((requests) => requests.some(({ target }) => target.startsWith('/smuggled'))))
    return 'a hidden request reaches the origin';
  if (!origin.readingsAgree) return 'forwarded with more than one reading';
  if (nextClient !== null) return `the next client gets ${shorten(nextClient)}`;
  if (client.responses.some(({ text }) => text.includes('poison'))) return 'the client gets a planted answer';
  if (client.probed && !isProbeIntact(client)) return 'what follows on the connection gets a wrong answer';
  return null;
}

/** What is malformed, by the strict rules, in what the gateway sends to either side. */
function findFault({ client, origin }: Observation): string | null {
  if (origin.problem !== null) return `forwarded malformed: ${shorten(origin.problem)}`;
  return client.problem === null ? null : `malformed for the client: ${shorten(client.problem)}`;
}

/** The probe was refused, or answered as asked, or the connection was closed on it: all is well. */
function isProbeIntact({ responses }: ClientSide): boolean {
  const last = responses.at(-1);
  return responses.length < 2 || last?.text === 'probe' || (last?.status ?? 0) >= 400;
}

/** The first answer, and whether it was the last. */
function describeClient({ responses, bytes, speaksHttp2, end }: ClientSide): string {
  if (speaksHttp2) return 'HTTP/2';
  const ending = responses.length > 1 ? '' : `, ${end ?? 'left open'}`;
  const [first] = responses;
  if (first !== undefined) {
    const cut = first.ended === 'complete' ? '' : ' cut off';
    return `${first.status}${cut}${listRemarkable(first.headers)}${ending}`;
  }
  const interim = /^HTTP\/1\.1 (1\d\d) /.exec(bytes.toString('latin1', 0, 16))?.[1];
  return `${interim === undefined ? 'no answer' : `${interim} and no final answer`}${ending}`;
}

function describeOrigin(seen: Observation): string {
  const requests = ownRequests(seen);
  if (requests.length === 0) return 'nothing forwarded';
  const lines = requests.map(({ startLine, headers, trailers, text }) => {
    const body = text === '' ? '' : ` with the body ${JSON.stringify(text.slice(0, 24))}`;
    const fields = listRemarkable([...headers, ...trailers]);
    return `${startLine.replace(/ HTTP\/.*$/, '')}${fields}${body}`;
  });
  const isWhole = seen.origin.requests.every(({ isComplete }) => isComplete);
  return shorten(`forwarded ${lines.join(', ')}${isWhole ? '' : ', not whole'}`);
}

/** What stands in most messages and says nothing about a case. */
const ORDINARY_FIELD =
  /^(host: (localhost|127\.0\.0\.1:\d+)$|content-length: [1-9]|transfer-encoding: chunked|x-forwarded-|x-request-id:|date:|server:|content-type:|connection: (close|keep-alive)|keep-alive: timeout=65|x-sum:|trailer:|sec-websocket-)/i;

function listRemarkable(fields: readonly HeaderField[]): string {
  const lines = fields
    .map(([name, value]) => `${name}: ${value}`)
    .filter((line) => !ORDINARY_FIELD.test(line));
  return lines.length === 0 ? '' : ` [${lines.slice(0, 3).join('; ').slice(0, 80)}]`;
}

function shorten(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '.');
  return printable.length > MAX_SHOWN_CHARACTERS ? `${printable.slice(0, MAX_SHOWN_CHARACTERS)}…` : printable;
}
