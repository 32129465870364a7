/** For whom is the request? There must be one answer, and it must go on with the request. */
import { type CaseFamily, type CaseRow, casesOf } from '../conformance-case.ts';
import { dropped, field, forwarded, type Requirement, refused } from '../requirements.ts';
import { SMUGGLED } from '../wire-text.ts';

const MUST_REFUSE = [refused(400), dropped];
const REFUSES = [refused('4xx'), dropped];

/** No field in which origins look for the host that the client asked for names this one. */
const notFor = (host: string) =>
  forwarded(`without ${host}`, (request) =>
    [request.startLine, field(request, 'host'), field(request, 'x-forwarded-host')].every(
      (text) => !text.includes(host),
    ),
  );
/** Host is the gateway's own word, or one that the client sent and that is well-formed. */
const wellFormed = forwarded('with a well-formed Host', (request) =>
  /^[a-z0-9.-]+(:\d{1,5})?$/.test(field(request, 'host')),
);

const row = (
  id: string,
  title: string,
  source: string,
  fields: string,
  expects: readonly Requirement[] = REFUSES,
  target = '/public/x',
): CaseRow => [id, title, source, `GET ${target} HTTP/1.1\r\n${fields}\r\n${SMUGGLED}`, expects];

const MUST = 'RFC 9112 §3.2: MUST answer 400';

const ROWS: readonly CaseRow[] = [
  row('host-missing', 'No Host', MUST, 'X-A: b\r\n', MUST_REFUSE),
  row('host-twice', 'Two Hosts', MUST, 'Host: localhost\r\nHost: other.example\r\n', MUST_REFUSE),
  row('host-twice-equal', 'Two equal Hosts', MUST, 'Host: localhost\r\nhost: localhost\r\n', MUST_REFUSE),
  row(
    'host-twice-apart',
    'Two Hosts with fields between',
    MUST,
    'Host: localhost\r\nX-A: b\r\nHOST: other.example\r\n',
    MUST_REFUSE,
  ),
  row('host-empty', 'An empty Host', 'RFC 9110 §4.2.1: MUST reject an empty host', 'Host:\r\n', [
    ...REFUSES,
    wellFormed,
  ]),
  row('host-list', 'Two names in one Host', MUST, 'Host: localhost, other.example\r\n', MUST_REFUSE),
  row('host-path', 'A Host with a path', MUST, 'Host: localhost/private\r\n', MUST_REFUSE),
  row('host-user', 'A Host with user information', MUST, 'Host: user@localhost\r\n', [
    ...REFUSES,
    wellFormed,
  ]),
  row('host-space', 'A Host with a space', MUST, 'Host: local host\r\n', MUST_REFUSE),
  row('host-bad-port', 'A Host with a port that is no number', MUST, 'Host: localhost:8x\r\n', MUST_REFUSE),
  row(
    'host-large-port',
    'A Host with a port beyond all ports',
    'RFC 9110 §7.2',
    'Host: localhost:99999\r\n',
    [...REFUSES, wellFormed],
  ),
  row('host-brackets', 'A Host with half a bracket', MUST, 'Host: [::1\r\n', MUST_REFUSE),
  row('host-fragment', 'A Host with a number sign', MUST, 'Host: localhost#other.example\r\n', MUST_REFUSE),
  row(
    'host-underscore-field',
    'Host beside a second one with an underscore before it',
    'known of CGI-like origins',
    'Host: localhost\r\n_Host: other.example\r\n',
    [...REFUSES, forwarded('with its Host', (request) => !field(request, 'host').includes('other'))],
  ),
  [
    'host-http-1.0-twice',
    'Two Hosts in HTTP/1.0',
    'RFC 9112 §3.2',
    `GET /public/x HTTP/1.0\r\nHost: localhost\r\nHost: other.example\r\n\r\n${SMUGGLED}`,
    MUST_REFUSE,
  ],
  row(
    'host-absolute-other',
    'An absolute target and another Host',
    'RFC 9112 §3.2.2: Host is ignored and replaced',
    'Host: other.example\r\n',
    [...REFUSES, notFor('other.example')],
    'http://localhost/public/x',
  ),
  row(
    'host-absolute-bad',
    'An absolute target and a bad Host',
    MUST,
    'Host: a b\r\n',
    [...MUST_REFUSE, notFor('a b')],
    'http://localhost/public/x',
  ),
  row(
    'host-absolute-missing',
    'An absolute target and no Host',
    MUST,
    'X-A: b\r\n',
    MUST_REFUSE,
    'http://localhost/public/x',
  ),
  row(
    'host-absolute-user',
    'An absolute target with user information',
    'RFC 9110 §4.2.4',
    'Host: localhost\r\n',
    [...REFUSES, notFor('user@')],
    'http://user@localhost/public/x',
  ),
  row(
    'host-absolute-empty',
    'An absolute target without a host',
    'RFC 9110 §4.2.1: MUST reject',
    'Host: localhost\r\n',
    REFUSES,
    'http:///public/x',
  ),
  row(
    'host-absolute-scheme',
    'An absolute target of another scheme',
    'RFC 9110 §7.4',
    'Host: localhost\r\n',
    [...REFUSES, notFor('ftp:')],
    'ftp://localhost/public/x',
  ),
];

export const HOSTS: CaseFamily = { title: 'Host', cases: casesOf(ROWS) };
