/** Requests that nobody may refuse: a gateway that closes on everything would be safe, and of no use. */
import { type CaseFamily, type CaseRow, casesOf } from '../conformance-case.ts';
import { answered, field, forwarded, seen } from '../requirements.ts';
import { CHUNKED, chunk, contentLength, get, LAST_CHUNK, post } from '../wire-text.ts';

const whole = (body: string) => forwarded('with its whole body', (request) => request.text === body);
const asIs = forwarded('', ({ startLine }) => startLine.startsWith('GET /public/x HTTP/1.'));

const ROWS: readonly CaseRow[] = [
  ['plain-get', 'GET', 'RFC 9112 §3', get(), [asIs]],
  [
    'plain-post-length',
    'POST with a length',
    'RFC 9112 §6.2',
    post(contentLength('body'), 'body'),
    [whole('body')],
  ],
  [
    'plain-post-chunks',
    'POST in chunks',
    'RFC 9112 §7.1',
    post(CHUNKED, chunk('one ') + chunk('two') + LAST_CHUNK),
    [whole('one two')],
  ],
  [
    'plain-chunk-extensions',
    'Chunks with extensions and a trailer',
    'RFC 9112 §7.1.1',
    post(CHUNKED, '3;a=b;c="d;e"\r\none\r\n0;f\r\nX-Sum: 7\r\n\r\n'),
    [whole('one')],
  ],
  [
    'plain-coding-in-capitals',
    'The name of a coding in other letters',
    'RFC 9112 §7: names of codings are case-insensitive',
    post('Transfer-Encoding: CHUNKED\r\n', chunk('body') + LAST_CHUNK),
    [whole('body')],
  ],
  [
    'plain-pieces',
    'A request that comes in pieces',
    'RFC 9112 §2.2',
    ['PO', 'ST /public/x HTTP/1.1\r', '\nHost: localhost\r\nContent-', 'Length: 4\r\n\r', '\nbo', 'dy'],
    [whole('body')],
  ],
  [
    'plain-pipelined',
    'Two requests at once are answered in order',
    'RFC 9112 §9.3.2',
    get('', '/public/first') + get('', '/public/second'),
    [
      seen('both forwarded and answered', ({ client, origin }) => {
        const targets = origin.requests.map(({ message }) => message.startLine.split(' ')[1]);
        return (
          client.responses.slice(0, 2).every(({ status }) => status === 200) &&
          targets.includes('/public/first') &&
          targets.includes('/public/second')
        );
      }),
    ],
  ],
  [
    'plain-head',
    'HEAD',
    'RFC 9110 §9.3.2',
    'HEAD /public/x HTTP/1.1\r\nHost: localhost\r\n\r\n',
    [
      answered(
        'answered with the length and no body',
        (response) => field(response, 'content-length') === '2' || response.status === 200,
      ),
    ],
  ],
  [
    'plain-http-1.0',
    'HTTP/1.0 with a Host',
    'RFC 9112 Appendix C.1',
    'GET /public/x HTTP/1.0\r\nHost: localhost\r\n\r\n',
    [asIs],
  ],
  ['plain-empty-line-first', 'An empty line before the request', 'RFC 9112 §2.2', `\r\n${get()}`, [asIs]],
  [
    'plain-query',
    'A query with dots, slashes and escapes',
    'RFC 3986 §3.4',
    get('', '/public/x?a=/../b//c&d=%2e%2F?'),
    [forwarded('as it is', ({ startLine }) => startLine.includes('/public/x?a=/../b//c&d=%2e%2F? '))],
  ],
];

export const PLAIN: CaseFamily = { title: 'What must work', cases: casesOf(ROWS) };
