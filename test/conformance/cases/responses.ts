/** What origins answer, and what a client may be told of it (RFC 9112 §6.3, RFC 9110 §15). */
import type { CaseFamily, ConformanceCase, OriginStep } from '../conformance-case.ts';
import { answered, badGateway, brokenOff, field, type Requirement } from '../requirements.ts';
import { answer, get } from '../wire-text.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
/** A whole answer: whoever takes it for one is taken in. */
const POISON = answer('poison');
const CLOSE: OriginStep = { ends: 'close' };
const FAILS: readonly Requirement[] = [badGateway, brokenOff];

const respond = (
  id: string,
  title: string,
  source: string,
  answers: string | readonly OriginStep[],
  expects: readonly Requirement[] = FAILS,
  sends: string = get(),
): ConformanceCase => ({
  id,
  title,
  source,
  sends,
  answers: typeof answers === 'string' ? [answers] : answers,
  expects,
});

const body = (text: string) =>
  answered(
    `200 with the body ${JSON.stringify(text)}`,
    (response) => response.status === 200 && response.text === text,
  );
const bodyless = (status: number) =>
  answered(`${status} without a body`, (response) => response.status === status && response.text === '');
const clean = (what: string, holds: Parameters<typeof answered>[1]) =>
  answered(`200 ${what}`, (response) => response.status === 200 && holds(response));
const noLength = clean('by its chunks', (response) => response.text === 'body');

const LENGTH = 'RFC 9112 §6.3: MUST answer 502';

const FRAMING: readonly ConformanceCase[] = [
  respond(
    'response-cl-te',
    'Content-Length, then chunks',
    'RFC 9112 §6.3',
    `${OK}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`,
    [...FAILS, noLength],
  ),
  respond(
    'response-te-cl',
    'Chunks, then Content-Length',
    'RFC 9112 §6.3',
    `${OK}Transfer-Encoding: chunked\r\nContent-Length: 1000\r\n\r\n4\r\nbody\r\n0\r\n\r\n`,
    [...FAILS, noLength],
  ),
  respond(
    'response-cl-differing',
    'Two lengths that differ',
    LENGTH,
    `${OK}Content-Length: 4\r\nContent-Length: 40\r\n\r\nbody`,
  ),
  respond(
    'response-cl-list',
    'A list of lengths that differ',
    LENGTH,
    `${OK}Content-Length: 4, 40\r\n\r\nbody`,
  ),
  respond(
    'response-cl-equal',
    'Two equal lengths',
    'RFC 9112 §6.3',
    `${OK}Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody`,
    [...FAILS, clean('with one length', (response) => response.headerValues('content-length').length <= 1)],
  ),
  respond('response-cl-minus', 'A negative length', LENGTH, `${OK}Content-Length: -4\r\n\r\nbody`),
  respond('response-cl-plus', 'A length with a plus', LENGTH, `${OK}Content-Length: +4\r\n\r\nbody`),
  respond(
    'response-cl-hexadecimal',
    'A length in hexadecimal',
    LENGTH,
    `${OK}Content-Length: 0x4\r\n\r\nbody`,
  ),
  respond('response-cl-word', 'A length that is no number', LENGTH, `${OK}Content-Length: four\r\n\r\nbody`),
  respond(
    'response-cl-overflow',
    'A length beyond 2^64',
    LENGTH,
    `${OK}Content-Length: 18446744073709551620\r\n\r\nbody`,
  ),
  respond(
    'response-te-gzip-chunked',
    'A coding before chunked',
    'RFC 9112 §6.1',
    [`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`, CLOSE],
    FAILS,
  ),
  respond(
    'response-te-unknown',
    'A coding nobody knows',
    'RFC 9112 §6.3',
    [`${OK}Transfer-Encoding: xchunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`, CLOSE],
    FAILS,
  ),
  respond('response-chunk-size-word', 'A chunk size that is no number', 'RFC 9112 §7.1', [
    `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\nxyz\r\n`,
    CLOSE,
  ]),
  respond('response-chunk-overflow', 'A chunk size beyond 2^64', 'RFC 9112 §7.1', [
    `${OK}Transfer-Encoding: chunked\r\n\r\n10000000000000004\r\nbody\r\n0\r\n\r\n`,
    CLOSE,
  ]),
  respond('response-chunk-longer', 'A chunk that is longer than its size', 'RFC 9112 §7.1', [
    `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nbody\r\n0\r\n\r\n`,
    CLOSE,
  ]),
  respond('response-chunk-cut', 'The origin closes before the last chunk', 'RFC 9112 §8', [
    `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n`,
    CLOSE,
  ]),
  respond('response-length-cut', 'The origin closes before the length is reached', 'RFC 9112 §8', [
    `${OK}Content-Length: 10\r\n\r\nbody`,
    CLOSE,
  ]),
  respond(
    'response-length-reset',
    'The origin resets the connection before the length is reached',
    'RFC 9112 §8',
    [`${OK}Content-Length: 10\r\n\r\nbody`, { ends: 'reset' }],
  ),
  respond('response-until-reset', 'A body until the end, which is a reset', 'RFC 9112 §8', [
    `${OK}Connection: close\r\n\r\nbody`,
    { ends: 'reset' },
  ]),
  respond(
    'response-until-close',
    'A body until the end',
    'RFC 9112 §6.3',
    [`${OK}Connection: close\r\n\r\nbody`, CLOSE],
    [body('body')],
  ),
];

const SURPLUS: readonly ConformanceCase[] = [
  respond(
    'surplus-response',
    'A second answer behind the first',
    'RFC 9112 §9.2; CVE-2026-1525',
    answer('first') + POISON,
    [body('first'), ...FAILS],
  ),
  respond('surplus-bytes', 'Bytes behind an answer', 'RFC 9112 §6.3', `${answer('first')}surplus`, [
    body('first'),
    ...FAILS,
  ]),
  respond(
    'surplus-longer',
    'A body longer than its length',
    'RFC 9112 §6.3',
    `${OK}Content-Length: 5\r\n\r\nfirst and more`,
    [body('first'), ...FAILS],
  ),
  respond(
    'surplus-head',
    'A body behind the answer to HEAD',
    'RFC 9110 §9.3.2',
    `${OK}${POISON.slice(OK.length)}${POISON}`,
    [bodyless(200), ...FAILS],
    'HEAD /public/x HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ),
  respond(
    'surplus-204-length',
    '204 with a length and a body',
    'RFC 9110 §15.3.5',
    `HTTP/1.1 204 No Content\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
    [bodyless(204), ...FAILS],
  ),
  respond(
    'surplus-204-chunks',
    '204 with chunks',
    'RFC 9110 §15.3.5',
    `HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`,
    [bodyless(204), ...FAILS],
  ),
  respond(
    'surplus-204',
    '204 with bytes behind it',
    'RFC 9110 §15.3.5',
    `HTTP/1.1 204 No Content\r\n\r\n${POISON}`,
    [bodyless(204), ...FAILS],
  ),
  respond(
    'surplus-304',
    '304 with a length and a body',
    'RFC 9110 §15.4.5',
    `HTTP/1.1 304 Not Modified\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
    [bodyless(304), ...FAILS],
  ),
];

const BAD = 'RFC 9110 §15.6.3';

const HEADS: readonly ConformanceCase[] = [
  respond('response-http-0.9', 'HTTP/0.9', 'RFC 9112 Appendix C', ['<html>hello</html>', CLOSE]),
  respond('response-ssh', 'Another protocol', BAD, ['SSH-2.0-OpenSSH_9.6\r\n', CLOSE]),
  respond('response-http-2', 'Frames of HTTP/2', BAD, ['\x00\x00\x00\x04\x00\x00\x00\x00\x00', CLOSE]),
  respond('response-nothing', 'No answer at all', BAD, [CLOSE], [badGateway]),
  respond('response-half-head', 'Half a head', BAD, ['HTTP/1.1 200 OK\r\nX-A: b', CLOSE]),
  respond(
    'response-status-word',
    'A status that is no number',
    'RFC 9112 §4',
    `HTTP/1.1 abc OK\r\nContent-Length: 4\r\n\r\nbody`,
  ),
  respond(
    'response-status-two-digits',
    'A status of two digits',
    'RFC 9112 §4',
    `HTTP/1.1 20 OK\r\nContent-Length: 4\r\n\r\nbody`,
  ),
  respond(
    'response-version',
    'A version nobody knows',
    'RFC 9112 §2.3',
    `HTTP/3.7 200 OK\r\nContent-Length: 4\r\n\r\nbody`,
    [...FAILS, body('body')],
  ),
  respond(
    'response-folded',
    'A folded value',
    'RFC 9112 §5.2: 502, or spaces in its place',
    `${OK}X-A: b\r\n c\r\nContent-Length: 4\r\n\r\nbody`,
    [...FAILS, clean('with spaces in its place', (response) => /^b +c$/.test(field(response, 'x-a')))],
  ),
  respond(
    'response-splitting-folded',
    'A folded value that looks like an answer',
    'RFC 9112 §5.2, §11.1',
    `${OK}X-A: b\r\n HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody`,
    [
      ...FAILS,
      clean('with spaces in its place', (response) => /^b +HTTP\/1.1 200 OK$/.test(field(response, 'x-a'))),
    ],
  ),
  respond(
    'response-bare-cr',
    'A bare CR before what looks like a field',
    'RFC 9112 §11.1',
    `${OK}X-A: b\rSet-Cookie: c=d\r\nContent-Length: 4\r\n\r\nbody`,
    [
      ...FAILS,
      clean('with a space in its place', (response) => /^b +Set-Cookie/.test(field(response, 'x-a'))),
    ],
  ),
  respond(
    'response-nul',
    'NUL in a value',
    'RFC 9110 §5.5',
    `${OK}X-A: b\0c\r\nContent-Length: 4\r\n\r\nbody`,
    [...FAILS, clean('with a space in its place', (response) => /^b +c$/.test(field(response, 'x-a')))],
  ),
  respond(
    'response-control',
    'A control character in a value',
    'RFC 9110 §5.5',
    `${OK}X-A: b\x01c\r\nContent-Length: 4\r\n\r\nbody`,
    FAILS,
  ),
  respond(
    'response-bare-lf',
    'Bare LFs throughout',
    'RFC 9112 §2.2',
    'HTTP/1.1 200 OK\nContent-Length: 4\n\nbody',
    [...FAILS, body('body')],
  ),
  respond(
    'response-space-before-colon',
    'A space before a colon',
    'RFC 9112 §5.1: MUST remove',
    `${OK}X-A : b\r\nContent-Length: 4\r\n\r\nbody`,
    [...FAILS, clean('without the space', (response) => field(response, 'x-a') === 'b')],
  ),
  respond(
    'response-no-colon',
    'A line without a colon',
    'RFC 9112 §5',
    `${OK}X-A\r\nContent-Length: 4\r\n\r\nbody`,
    [...FAILS, clean('without a value for it', (response) => field(response, 'x-a') === '')],
  ),
  respond(
    'response-space-in-name',
    'A space in a name',
    'RFC 9110 §5.1',
    `${OK}X A: b\r\nContent-Length: 4\r\n\r\nbody`,
    [...FAILS, body('body')],
  ),
  respond('response-huge-head', 'A head of a megabyte', BAD, [
    `${OK}X-A: ${'b'.repeat(1_048_576)}\r\nContent-Length: 4\r\n\r\nbody`,
  ]),
  respond(
    'response-hop-named',
    'A field that Connection names',
    'RFC 9110 §7.6.1',
    answer('body', 'Connection: X-A\r\nX-A: b\r\n'),
    [clean('without it', (response) => response.header('x-a') === undefined)],
  ),
  respond(
    'response-hop-fields',
    'Keep-Alive and Proxy-Connection',
    'RFC 9110 §7.6.1',
    answer('body', 'Keep-Alive: timeout=99\r\nProxy-Connection: keep-alive\r\n'),
    [
      clean(
        'without them',
        (response) =>
          !field(response, 'keep-alive').includes('99') && response.header('proxy-connection') === undefined,
      ),
    ],
  ),
  respond(
    'response-hop-names-cookie',
    'Connection names Set-Cookie',
    'RFC 9110 §7.6.1',
    answer('body', 'Connection: Set-Cookie, Content-Length\r\nSet-Cookie: a=b\r\n'),
    [body('body'), ...FAILS],
  ),
  respond(
    'response-trailer',
    'Framing as a trailer',
    'RFC 9110 §6.5.1',
    [
      `${OK}Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n4\r\nbody\r\n0\r\nContent-Length: 99\r\nSet-Cookie: a=b\r\n\r\n`,
    ],
    [
      ...FAILS,
      clean('without it', (response) =>
        response.trailers.every(([name]) => !/^(content-length|set-cookie)$/i.test(name)),
      ),
    ],
  ),
];

export const RESPONSES: CaseFamily = {
  title: 'Answers of origins',
  cases: [...FRAMING, ...SURPLUS, ...HEADS],
};
