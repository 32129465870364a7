/** How long is the body? Every head here has two answers to that, or none that a strict server gives. */
import { type CaseFamily, type CaseRow, casesOf } from '../conformance-case.ts';
import { dropped, forwarded, forwardedAndClosed, type Requirement, refused } from '../requirements.ts';
import { CHUNKED, chunk, contentLength, get, LAST_CHUNK, post, SMUGGLED } from '../wire-text.ts';

/** A body that ends at once by its chunks, and carries a request by its length. */
const HIDDEN_BEHIND_CHUNKS = LAST_CHUNK + SMUGGLED;
/** A body that carries a request in a chunk, and ends before that by its length. */
const HIDDEN_IN_CHUNK = chunk(SMUGGLED) + LAST_CHUNK;
const FULL_LENGTH = contentLength(HIDDEN_BEHIND_CHUNKS);

/** RFC 9112 §6.3 demands 400 and the end of the connection. */
const MUST_REFUSE = [refused(400), dropped];
/** It leaves the status open here, or the server has more to say than 400. */
const REFUSES = [refused('4xx', 501), dropped];
/** The rest of §6.1: the coding counts, the length goes, and the connection is closed behind the answer. */
const BY_CHUNKS = forwardedAndClosed('by its chunks alone');
const BY_LENGTH = forwarded('by its length alone', (request) => request.text === HIDDEN_BEHIND_CHUNKS);

/** Both fields; the coding is one that only some take for `chunked`. */
const disguised = (
  id: string,
  title: string,
  source: string,
  coding: string,
  expects: readonly Requirement[] = REFUSES,
): CaseRow => [id, title, source, post(FULL_LENGTH + coding, HIDDEN_BEHIND_CHUNKS), expects];

/** A coding field alone, without a length beside it. */
const coded = (
  id: string,
  title: string,
  coding: string,
  expects: readonly Requirement[] = REFUSES,
): CaseRow => [id, title, 'RFC 9112 §6.1, §6.3', post(coding, HIDDEN_BEHIND_CHUNKS), expects];

/** A length, and more bytes than any reading of it gives the body. */
const counted = (id: string, title: string, fields: string, expects = MUST_REFUSE): CaseRow => [
  id,
  title,
  'RFC 9110 §8.6; RFC 9112 §6.3',
  post(fields, `hello${SMUGGLED}`),
  expects,
];

const SINGLE_LENGTH = forwarded(
  'with one length',
  (request) => request.headerValues('content-length').length === 1,
);

const BOTH: readonly CaseRow[] = [
  [
    'cl-te',
    'Content-Length, then Transfer-Encoding',
    'RFC 9112 §6.1',
    post(FULL_LENGTH + CHUNKED, HIDDEN_BEHIND_CHUNKS),
    [...REFUSES, BY_CHUNKS],
  ],
  [
    'te-cl',
    'Transfer-Encoding, then Content-Length',
    'RFC 9112 §6.1',
    post(`${CHUNKED}Content-Length: 4\r\n`, HIDDEN_IN_CHUNK),
    [...REFUSES, BY_CHUNKS],
  ],
  [
    'te-cl-zero',
    'Transfer-Encoding beside Content-Length: 0',
    'RFC 9112 §6.1',
    post(`${CHUNKED}Content-Length: 0\r\n`, HIDDEN_IN_CHUNK),
    [...REFUSES, BY_CHUNKS],
  ],
  [
    'te-cl-get',
    'Both on a GET',
    'RFC 9112 §6.1',
    get(`${CHUNKED}Content-Length: 4\r\n`) + HIDDEN_IN_CHUNK,
    [...REFUSES, BY_CHUNKS],
  ],
  disguised(
    'te-space-before-colon',
    'White space before the colon of Transfer-Encoding',
    'RFC 9112 §5.1: MUST reject',
    'Transfer-Encoding : chunked\r\n',
    MUST_REFUSE,
  ),
  disguised(
    'te-tab-before-colon',
    'A tab before the colon of Transfer-Encoding',
    'RFC 9112 §5.1: MUST reject',
    'Transfer-Encoding\t: chunked\r\n',
    MUST_REFUSE,
  ),
  disguised(
    'te-vertical-tab',
    'A vertical tab before chunked',
    'RFC 9110 §5.5',
    'Transfer-Encoding: \vchunked\r\n',
  ),
  disguised('te-nul', 'NUL behind chunked', 'RFC 9110 §5.5', 'Transfer-Encoding: chunked\0\r\n'),
  disguised('te-folded', 'Chunked on a folded line', 'RFC 9112 §5.2', 'Transfer-Encoding:\r\n chunked\r\n', [
    ...REFUSES,
    BY_CHUNKS,
  ]),
  disguised(
    'te-behind-bare-lf',
    'Transfer-Encoding behind a bare LF',
    'RFC 9112 §2.2',
    'X-A: b\nTransfer-Encoding: chunked\r\n',
    [...REFUSES, BY_CHUNKS],
  ),
  disguised(
    'te-behind-bare-cr',
    'Transfer-Encoding behind a bare CR',
    'RFC 9112 §2.2',
    'X-A: b\rTransfer-Encoding: chunked\r\n',
    [...REFUSES, BY_LENGTH],
  ),
  disguised(
    'te-underscore',
    'Transfer_Encoding',
    'known of CGI-like origins, which merge it with Transfer-Encoding',
    'Transfer_Encoding: chunked\r\n',
    [...REFUSES, BY_LENGTH],
  ),
  disguised(
    'te-leading-space',
    'Transfer-Encoding on a line that begins with a space',
    'RFC 9112 §5.2',
    'X-A: b\r\n Transfer-Encoding: chunked\r\n',
    [...REFUSES, BY_LENGTH],
  ),
  disguised(
    'te-non-ascii-name',
    'A name with a byte above ASCII',
    'RFC 9110 §5.1',
    'Transfer-Encoding\xff: chunked\r\n',
    [...REFUSES, BY_LENGTH],
  ),
  disguised(
    'te-unknown-beside-cl',
    'A coding nobody knows beside a length',
    'RFC 9112 §6.3',
    'Transfer-Encoding: xchunked\r\n',
  ),
  disguised(
    'te-quoted-beside-cl',
    'A quoted coding beside a length',
    'RFC 9112 §6.3',
    'Transfer-Encoding: "chunked"\r\n',
  ),
  disguised(
    'te-identity-beside-cl',
    'identity beside a length',
    'RFC 9112 §6.3',
    'Transfer-Encoding: identity\r\n',
  ),
  disguised(
    'te-two-fields',
    'Two coding fields, one of them wrong',
    'RFC 9112 §6.3',
    `${CHUNKED}Transfer-Encoding: x\r\n`,
  ),
  disguised('te-empty', 'An empty coding beside a length', 'RFC 9112 §6.3', 'Transfer-Encoding:\r\n', [
    ...REFUSES,
    BY_LENGTH,
  ]),
];

const CODINGS: readonly CaseRow[] = [
  coded('te-twice', 'chunked twice', 'Transfer-Encoding: chunked, chunked\r\n', REFUSES),
  coded('te-not-last', 'chunked, but not last', 'Transfer-Encoding: chunked, gzip\r\n', REFUSES),
  coded('te-not-chunked', 'A coding without chunked', 'Transfer-Encoding: gzip\r\n', REFUSES),
  coded('te-gzip-chunked', 'A further coding before chunked', 'Transfer-Encoding: gzip, chunked\r\n'),
  coded('te-two-lines', 'Two codings in two fields', `Transfer-Encoding: gzip\r\n${CHUNKED}`),
  coded('te-parameter', 'A parameter on chunked', 'Transfer-Encoding: chunked;a=b\r\n'),
  coded('te-xchunked', 'A name that ends in chunked', 'Transfer-Encoding: xchunked\r\n'),
  coded('te-space-separated', 'Codings without a comma', 'Transfer-Encoding: identity chunked\r\n'),
  [
    'te-http-1.0',
    'Transfer-Encoding in HTTP/1.0',
    'RFC 9112 §6.1: MUST treat the framing as faulty',
    `POST /public/x HTTP/1.0\r\nHost: localhost\r\n${CHUNKED}\r\n${HIDDEN_IN_CHUNK}`,
    [...REFUSES, BY_CHUNKS],
  ],
];

const LENGTHS: readonly CaseRow[] = [
  counted('cl-differing', 'Two lengths that differ', 'Content-Length: 5\r\nContent-Length: 6\r\n'),
  counted('cl-differing-list', 'A list of lengths that differ', 'Content-Length: 5, 6\r\n'),
  counted('cl-equal', 'Two equal lengths', 'Content-Length: 5\r\nContent-Length: 5\r\n', [
    ...MUST_REFUSE,
    SINGLE_LENGTH,
  ]),
  counted('cl-equal-list', 'A list of equal lengths', 'Content-Length: 5, 5\r\n', [
    ...MUST_REFUSE,
    SINGLE_LENGTH,
  ]),
  counted('cl-plus', 'A length with a plus', 'Content-Length: +5\r\n'),
  counted('cl-minus', 'A negative length', 'Content-Length: -5\r\n'),
  counted('cl-hexadecimal', 'A length in hexadecimal', 'Content-Length: 0x5\r\n'),
  counted('cl-space-within', 'A length with a space within', 'Content-Length: 5 0\r\n'),
  counted('cl-fraction', 'A length with a fraction', 'Content-Length: 5.0\r\n'),
  counted('cl-comma', 'A length and a comma', 'Content-Length: 5,\r\n', [...MUST_REFUSE, SINGLE_LENGTH]),
  counted('cl-quoted', 'A quoted length', 'Content-Length: "5"\r\n'),
  counted('cl-empty', 'An empty length', 'Content-Length:\r\n'),
  counted('cl-letters', 'A length that ends in letters', 'Content-Length: 5abc\r\n'),
  counted('cl-overflow', 'A length beyond 2^64', 'Content-Length: 18446744073709551621\r\n', [
    refused('4xx'),
    dropped,
  ]),
  counted('cl-folded', 'A length on a folded line', 'Content-Length:\r\n 5\r\n', [
    ...MUST_REFUSE,
    SINGLE_LENGTH,
  ]),
  counted(
    'cl-space-before-colon',
    'White space before the colon of Content-Length',
    'Content-Length : 5\r\n',
  ),
  counted('cl-underscore', 'Content_Length alone', 'Content_Length: 5\r\n', [
    refused('4xx'),
    forwarded('without it', (request) => request.header('content_length') === undefined),
  ]),
];

export const LENGTH_AND_CODING: CaseFamily = {
  title: 'Framing of requests: length and coding',
  cases: casesOf([...BOTH, ...CODINGS, ...LENGTHS]),
};
