/** What a client can make a gateway hold: heads, bodies, queues, and time. */
import type { CaseFamily, ConformanceCase } from '../conformance-case.ts';
import { cutOff, declined, dropped, forwarded, type Requirement, refused, seen } from '../requirements.ts';
import { CHUNKED, chunk, get, LAST_CHUNK, post, SMUGGLED } from '../wire-text.ts';

const REFUSES = [refused('4xx'), dropped];
/** Time limits are the gateway's to choose; the configurations say three seconds where they can. */
const PATIENCE_MS = 25_000;

const row = (
  id: string,
  title: string,
  source: string,
  sends: ConformanceCase['sends'],
  expects: readonly Requirement[],
): ConformanceCase => ({ id, title, source, sends, expects });

const LARGE: readonly ConformanceCase[] = [
  row(
    'large-field',
    'A field of 256 KiB',
    'RFC 9110 §5.4: MUST answer 4xx',
    get(`X-A: ${'b'.repeat(262_144)}\r\n`) + SMUGGLED,
    REFUSES,
  ),
  row(
    'large-head',
    'Fields of 256 KiB in all',
    'RFC 6585 §5',
    get('X-A: 0123456789\r\n'.repeat(15_420)) + SMUGGLED,
    REFUSES,
  ),
  row(
    'large-head-endless',
    'A head that does not end',
    'RFC 6585 §5',
    `GET /public/x HTTP/1.1\r\nHost: localhost\r\n${'X-A: 0123456789\r\n'.repeat(15_420)}`,
    REFUSES,
  ),
  row(
    'large-target',
    'A target of 64 KiB',
    'RFC 9112 §3: MUST answer 414',
    get('', `/public/${'a'.repeat(65_536)}`) + SMUGGLED,
    [...REFUSES, declined('4xx')],
  ),
  row(
    'large-method',
    'A method of 64 KiB',
    'RFC 9112 §3: SHOULD answer 501',
    `${'A'.repeat(65_536)} /public/x HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    [refused('4xx', 501), dropped],
  ),
  row(
    'large-chunk-extension',
    'A chunk extension of a megabyte',
    'RFC 9112 §7.1.1; CVE-2024-22019',
    [post(CHUNKED, chunk('one')), { until: 'arrived' }, `1;${'a'.repeat(1_048_576)}\r\nx\r\n${LAST_CHUNK}`],
    [cutOff, ...REFUSES],
  ),
  row(
    'large-chunk-size',
    'A chunk size with a megabyte of zeros',
    'RFC 9112 §7.1',
    [post(CHUNKED, chunk('one')), { until: 'arrived' }, `${'0'.repeat(1_048_576)}1\r\nx\r\n${LAST_CHUNK}`],
    [cutOff, ...REFUSES, forwarded('in clean chunks', (request) => request.text === 'onex')],
  ),
  row(
    'large-trailers',
    'Trailers of 256 KiB',
    'RFC 9112 §7.1.2',
    [post(CHUNKED, chunk('one')), { until: 'arrived' }, `0\r\n${'X-A: 0123456789\r\n'.repeat(15_420)}\r\n`],
    [cutOff, ...REFUSES, forwarded('without most of them', (request) => request.trailers.length < 2_000)],
  ),
  row(
    'many-small-chunks',
    'Ten thousand chunks of one byte',
    'RFC 9112 §7.1',
    post(CHUNKED, '1\r\nx\r\n'.repeat(10_000) + LAST_CHUNK),
    [forwarded('whole', (request) => request.body.length === 10_000), ...REFUSES],
  ),
  row('many-pipelined', 'Two hundred requests at once', 'RFC 9112 §9.3.2', get().repeat(200), [
    seen(
      'answered in order, or the connection closed',
      ({ client }) =>
        client.responses.slice(0, 200).every(({ status }) => status === 200) &&
        (client.responses.length >= 200 || client.end !== null),
    ),
  ]),
  row(
    'pipelined-behind-refused',
    'Requests behind one that is refused',
    'RFC 9112 §9.3.2',
    `GET /public/x HTTP/1.1\r\nHost : localhost\r\n\r\n${get()}${get()}`,
    REFUSES,
  ),
  row(
    'pipelined-behind-close',
    'A request behind one that said close',
    'RFC 9112 §9.6: MUST NOT process',
    get('Connection: close\r\n', '/public/first') + get('', '/public/second'),
    [forwarded('the first alone', ({ startLine }) => startLine.includes('/public/first'))],
  ),
];

/** The client stops in the middle and keeps the connection. */
const silent = (
  id: string,
  title: string,
  source: string,
  text: string,
  expects: readonly Requirement[],
): ConformanceCase => ({
  ...row(id, title, source, text, expects),
  isPatient: true,
  limitMs: PATIENCE_MS,
});
const closes = seen('closed within 25 seconds', ({ client }) => client.end !== null);

const SILENT: readonly ConformanceCase[] = [
  silent(
    'silent-head',
    'A head that stops in the middle',
    'Slowloris; CWE-400',
    'GET /public/silent-head HTTP/1.1\r\nHost: localhost\r\nX-A',
    [closes],
  ),
  silent(
    'silent-line',
    'A request line that stops in the middle',
    'Slowloris; CWE-400',
    'GET /public/silent-line',
    [closes],
  ),
  silent(
    'silent-body-length',
    'A body that stops in the middle',
    'CWE-400',
    post('Content-Length: 10\r\n', 'half', '/public/silent-body-length'),
    [cutOff],
  ),
  silent(
    'silent-body-chunks',
    'Chunks that stop in the middle',
    'CWE-400',
    post(CHUNKED, chunk('one'), '/public/silent-body-chunks'),
    [cutOff],
  ),
];

export const RESOURCES: CaseFamily = { title: 'Resources', cases: [...LARGE, ...SILENT] };
