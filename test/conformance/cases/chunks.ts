/** Bodies in chunks that are broken: what the origin has got of them by then must never look whole. */
import { type CaseFamily, type CaseRow, type ClientStep, casesOf } from '../conformance-case.ts';
import { cutOff, forwarded, refused } from '../requirements.ts';
import { CHUNKED, chunk, contentLength, LAST_CHUNK, post, SMUGGLED } from '../wire-text.ts';

const GRAMMAR = 'RFC 9112 §7.1';
const BROKEN = [cutOff, refused('4xx')];
/** Where a recipient may be lenient towards the sender, provided that it writes its own chunks. */
const mended = (body: string) => [
  ...BROKEN,
  forwarded('in clean chunks', (request) => request.text === body),
];

/** A first chunk that is right, so that the request is under way, and then the rest. */
const broken = (rest: string): readonly ClientStep[] => [
  post(CHUNKED, chunk('one')),
  { until: 'arrived' },
  rest + SMUGGLED,
];

const row = (id: string, title: string, rest: string, expects = BROKEN, source = GRAMMAR): CaseRow => [
  id,
  title,
  source,
  broken(rest),
  expects,
];

const ROWS: readonly CaseRow[] = [
  row('chunk-size-word', 'A chunk size that is no number', `xyz\r\nabc\r\n${LAST_CHUNK}`),
  row('chunk-size-empty', 'No chunk size', `\r\nabc\r\n${LAST_CHUNK}`),
  row('chunk-size-minus', 'A negative chunk size', `-3\r\nabc\r\n${LAST_CHUNK}`),
  row('chunk-size-plus', 'A chunk size with a plus', `+3\r\nabc\r\n${LAST_CHUNK}`),
  row('chunk-size-0x', 'A chunk size with 0x', `0x3\r\nabc\r\n${LAST_CHUNK}`),
  row(
    'chunk-size-overflow-64',
    'A chunk size beyond 2^64',
    `10000000000000003\r\nabc\r\n${LAST_CHUNK}`,
    BROKEN,
    `${GRAMMAR}: MUST anticipate`,
  ),
  row(
    'chunk-size-overflow-32',
    'A chunk size just beyond 2^32',
    `100000003\r\nabc\r\n${LAST_CHUNK}`,
    BROKEN,
    `${GRAMMAR}: MUST anticipate`,
  ),
  row(
    'chunk-size-space-before',
    'A space before a chunk size',
    ` 3\r\nabc\r\n${LAST_CHUNK}`,
    mended('oneabc'),
  ),
  row(
    'chunk-size-space-behind',
    'A space behind a chunk size',
    `3 \r\nabc\r\n${LAST_CHUNK}`,
    mended('oneabc'),
  ),
  row('chunk-size-lf', 'A bare LF behind a chunk size', `3\nabc\r\n${LAST_CHUNK}`, mended('oneabc')),
  row('chunk-size-cr', 'A bare CR behind a chunk size', `3\rabc\r\n${LAST_CHUNK}`),
  row(
    'chunk-extension-lf',
    'A bare LF in a chunk extension',
    `3;a\nabc\r\n${LAST_CHUNK}`,
    mended('oneabc'),
    'RFC 9112 §7.1.1; CVE-2025-55315',
  ),
  row(
    'chunk-extension-lf-hides',
    'A request behind a bare LF in a chunk extension',
    `2;\nxx\r\n2d\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\nX: x\r\n\r\n`,
    BROKEN,
    'RFC 9112 §7.1.1; CVE-2025-55315',
  ),
  row(
    'chunk-extension-cr',
    'A bare CR in a chunk extension',
    `3;a\rb\r\nabc\r\n${LAST_CHUNK}`,
    mended('oneabc'),
    'RFC 9112 §7.1.1',
  ),
  row(
    'chunk-extension-nul',
    'NUL in a chunk extension',
    `3;a\0b\r\nabc\r\n${LAST_CHUNK}`,
    mended('oneabc'),
    'RFC 9112 §7.1.1',
  ),
  row('chunk-longer', 'A chunk that is longer than its size', `3\r\nabcd\r\n${LAST_CHUNK}`),
  row('chunk-end-lf', 'A bare LF behind a chunk', `3\r\nabc\n${LAST_CHUNK}`, mended('oneabc')),
  row('chunk-end-missing', 'Nothing between a chunk and the next', `3\r\nabc${LAST_CHUNK}`),
  row('chunk-end-spaces', 'Two spaces in place of the end of a chunk', `3\r\nabc  ${LAST_CHUNK}`),
  row('chunk-last-lf', 'Bare LFs behind the last chunk', '0\n\n', mended('one')),
  row(
    'chunk-trailer-space',
    'A trailer with a space in its name',
    '0\r\nX A: b\r\n\r\n',
    [...BROKEN, forwarded('without it')],
    'RFC 9112 §7.1.2',
  ),
  row(
    'chunk-trailer-no-colon',
    'A trailer without a colon',
    '0\r\nGET /smuggled HTTP/1.1\r\n\r\n',
    [...BROKEN, forwarded('without it')],
    'RFC 9112 §7.1.2',
  ),
  [
    'chunk-last-missing',
    'The client ends before the last chunk',
    'RFC 9112 §8',
    [post(CHUNKED, chunk('one')), { until: 'arrived' }, 'end'],
    BROKEN,
  ],
  [
    'chunk-last-cut',
    'The client ends within the last chunk',
    'RFC 9112 §8',
    [post(CHUNKED, `${chunk('one')}0\r\n`), { until: 'arrived' }, 'end'],
    BROKEN,
  ],
  [
    'chunk-cut',
    'The client ends within a chunk',
    'RFC 9112 §8',
    [post(CHUNKED, `${chunk('one')}a\r\nhalf`), { until: 'arrived' }, 'end'],
    BROKEN,
  ],
  [
    'length-cut',
    'The client ends before the length is reached',
    'RFC 9112 §8',
    [post('Content-Length: 10\r\n', 'half'), { until: 'arrived' }, 'end'],
    BROKEN,
  ],
  [
    'length-surplus',
    'Bytes behind a body are the next request',
    'RFC 9112 §9.3.2',
    post(contentLength('body'), `body${SMUGGLED}`),
    [forwarded('without them', (request) => request.text === 'body')],
  ],
];

export const CHUNKS: CaseFamily = {
  title: 'Framing of requests: chunks and broken bodies',
  cases: casesOf(ROWS),
};
