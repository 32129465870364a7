/** Heads that are not what RFC 9112 calls one: the request line, the shape of fields, and their characters. */
import { type CaseFamily, type CaseRow, casesOf } from '../conformance-case.ts';
import { declined, dropped, field, forwarded, type Requirement, refused, seen } from '../requirements.ts';
import { get, SMUGGLED } from '../wire-text.ts';

const MUST_REFUSE = [refused(400), dropped];
const REFUSES = [refused('4xx', 501, 505), dropped];

/** The first request, and a hidden one behind it. */
const row = (
  id: string,
  title: string,
  source: string,
  text: string,
  expects: readonly Requirement[] = REFUSES,
): CaseRow => [id, title, source, text + SMUGGLED, expects];

const line = (id: string, title: string, text: string, expects?: readonly Requirement[]) =>
  row(id, title, 'RFC 9112 §3', `${text}\r\nHost: localhost\r\n\r\n`, expects);

const mended = (what: string, name: string, value: RegExp) =>
  forwarded(what, (request) => value.test(field(request, name)));
const withSpace = mended('with a space in its place', 'x-a', /^b +c$/);
const without = (what: string, name: string) =>
  forwarded(what, (request) => request.header(name) === undefined);

const withOwnVersion = forwarded('in HTTP/1.1', ({ startLine }) => /HTTP\/1\.[01]$/.test(startLine));

/** The preface of HTTP/2 may be understood: then the first frame of the gateway is its SETTINGS. */
const speaksHttp2 = seen('answered in HTTP/2', ({ client }) => client.speaksHttp2);

const FIELDS: readonly CaseRow[] = [
  row(
    'field-folded',
    'A folded value',
    'RFC 9112 §5.2: 400, or spaces in its place',
    get('X-A: b\r\n c\r\n'),
    [...MUST_REFUSE, withSpace],
  ),
  row(
    'field-folded-first',
    'The first field line begins with a space',
    'RFC 9112 §2.2',
    'GET /public/x HTTP/1.1\r\n X-A: b\r\nHost: localhost\r\n\r\n',
    [...REFUSES, without('without it', 'x-a')],
  ),
  row(
    'field-space-before-colon',
    'A space before the colon',
    'RFC 9112 §5.1: MUST reject',
    get('X-A : b\r\n'),
    MUST_REFUSE,
  ),
  row('field-no-colon', 'A line without a colon', 'RFC 9112 §5', get('X-A\r\n'), [
    ...REFUSES,
    mended('without a value', 'x-a', /^$/),
  ]),
  row('field-no-name', 'A line without a name', 'RFC 9112 §5', get(': b\r\n')),
  row('field-space-in-name', 'A space in a name', 'RFC 9112 §5', get('X A: b\r\n')),
  row('field-non-ascii-name', 'A byte above ASCII in a name', 'RFC 9110 §5.1', get('X-\xe4: b\r\n'), [
    ...REFUSES,
    forwarded('without it'),
  ]),
  row('field-nul-in-name', 'NUL in a name', 'RFC 9110 §5.1', get('X\0A: b\r\n')),
  row('field-nul', 'NUL in a value', 'RFC 9110 §5.5: MUST reject or replace', get('X-A: b\0c\r\n'), [
    ...REFUSES,
    withSpace,
  ]),
  row(
    'field-bare-cr',
    'A bare CR in a value',
    'RFC 9110 §5.5: MUST reject or replace',
    get('X-A: b\rc\r\n'),
    [...REFUSES, withSpace],
  ),
  row(
    'field-bare-cr-injects',
    'A bare CR before what looks like a field',
    'RFC 9112 §2.2',
    get('X-A: b\rX-Role: admin\r\n'),
    [...REFUSES, mended('with a space in its place', 'x-a', /^b +X-Role: admin$/)],
  ),
  row('field-control', 'A control character in a value', 'RFC 9110 §5.5', get('X-A: b\x01c\r\n'), [
    ...REFUSES,
    withSpace,
  ]),
  row('field-delete', 'DEL in a value', 'RFC 9110 §5.5', get('X-A: b\x7fc\r\n'), [...REFUSES, withSpace]),
  row(
    'field-bare-lf',
    'A bare LF ends a field line',
    'RFC 9112 §2.2: MAY be taken for a line end',
    get('X-A: b\nX-B: c\r\n'),
    [...REFUSES, mended('as two fields', 'x-b', /^c$/)],
  ),
  row(
    'head-bare-lf',
    'Bare LFs throughout',
    'RFC 9112 §2.2: MAY be taken for line ends',
    'GET /public/x HTTP/1.1\nHost: localhost\n\n',
    [...REFUSES, forwarded('')],
  ),
  row('head-bare-cr', 'Bare CRs throughout', 'RFC 9112 §2.2', 'GET /public/x HTTP/1.1\rHost: localhost\r\r'),
  row(
    'head-cut',
    'The head ends with a bare LF',
    'RFC 9112 §2.2',
    'GET /public/x HTTP/1.1\r\nHost: localhost\r\n\n',
    [...REFUSES, forwarded('')],
  ),
];

const LINES: readonly CaseRow[] = [
  row('line-http-0.9', 'HTTP/0.9', 'RFC 9112 Appendix C', 'GET /public/x\r\n', REFUSES),
  line('line-http-0.9-numbered', 'HTTP/0.9 by its number', 'GET /public/x HTTP/0.9'),
  line('line-http-2-numbered', 'HTTP/2.0 by its number', 'GET /public/x HTTP/2.0', [
    ...REFUSES,
    withOwnVersion,
  ]),
  line('line-http-1.9', 'A minor version that never was', 'GET /public/x HTTP/1.9', [
    ...REFUSES,
    withOwnVersion,
  ]),
  line('line-http-1.1.1', 'A version of three parts', 'GET /public/x HTTP/1.1.1'),
  line('line-version-lower-case', 'A version in lower case', 'GET /public/x http/1.1'),
  line('line-other-protocol', 'Another protocol', 'GET /public/x ICY/1.1'),
  line('line-no-target', 'No target', 'GET  HTTP/1.1'),
  line('line-space-in-target', 'A space within the target', 'GET /public/x y HTTP/1.1'),
  line('line-tab', 'A tab in place of a space', 'GET\t/public/x\tHTTP/1.1', [
    ...REFUSES,
    forwarded('with spaces'),
  ]),
  line('line-two-spaces', 'Two spaces before the target', 'GET  /public/x HTTP/1.1', [
    ...REFUSES,
    forwarded('with one'),
  ]),
  line('line-space-behind', 'A space behind the version', 'GET /public/x HTTP/1.1 ', [
    ...REFUSES,
    forwarded('without it'),
  ]),
  line('line-bare-cr', 'A bare CR in the line', 'GET /public/x\rHTTP/1.1'),
  line('line-nul', 'NUL in the target', 'GET /public/x\0y HTTP/1.1'),
  line('line-non-ascii', 'A byte above ASCII in the target', 'GET /public/\xe9 HTTP/1.1', [
    ...REFUSES,
    forwarded('with an escape', ({ startLine }) => startLine.includes('/%E9')),
  ]),
  line('line-method-lower-case', 'A method in lower case', 'get /public/x HTTP/1.1', [
    ...REFUSES,
    forwarded('as it is', ({ startLine }) => startLine.startsWith('get ')),
  ]),
  line('line-method-bad', 'A method with a character that no method has', 'G{}T /public/x HTTP/1.1'),
  line('line-method-space', 'A space before the method', ' GET /public/x HTTP/1.1'),
  [
    'line-http-2-preface',
    'The preface of HTTP/2',
    'RFC 9113 §3.4',
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SMUGGLED}`,
    [...REFUSES, speaksHttp2],
  ],
  [
    'line-tls',
    'A TLS handshake',
    'RFC 8446 §4.1.2',
    [`\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00${SMUGGLED}`, 'end'],
    REFUSES,
  ],
];

const METHODS: readonly CaseRow[] = [
  [
    'method-trace',
    'TRACE',
    'RFC 9110 §9.3.8',
    'TRACE /public/x HTTP/1.1\r\nHost: localhost\r\n\r\n',
    [declined('4xx', 501), forwarded('as it is', ({ startLine }) => startLine.startsWith('TRACE '))],
  ],
  [
    'method-connect',
    'CONNECT, and bytes for the tunnel',
    'RFC 9110 §9.3.6; CVE-2026-71324',
    `CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n${SMUGGLED}`,
    [declined('4xx', 501), dropped],
  ],
  [
    'method-connect-path',
    'CONNECT with a path',
    'RFC 9112 §3.2.3',
    `CONNECT /public/x HTTP/1.1\r\nHost: localhost\r\n\r\n${SMUGGLED}`,
    [declined('4xx', 501), dropped],
  ],
  [
    'method-unknown',
    'A method nobody knows',
    'RFC 9110 §9.1',
    'BREW /public/x HTTP/1.1\r\nHost: localhost\r\n\r\n',
    [declined('4xx', 501), forwarded('as it is', ({ startLine }) => startLine.startsWith('BREW '))],
  ],
];

export const HEADS: CaseFamily = {
  title: 'Heads of requests',
  cases: casesOf([...FIELDS, ...LINES, ...METHODS]),
};
