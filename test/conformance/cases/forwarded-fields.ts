/** Which fields of a request go on: nothing that is for this hop only, and no word of the client about itself. */
import type { HeaderField, HttpMessage } from '../../helpers/http-message.ts';
import { type CaseFamily, type CaseRow, casesOf } from '../conformance-case.ts';
import { cutOff, dropped, field, forwarded, type Requirement, refused } from '../requirements.ts';
import { CHUNKED, chunk, contentLength, get, LAST_CHUNK, post } from '../wire-text.ts';

const HOP = 'RFC 9110 §7.6.1';
const REFUSES = [refused('4xx'), dropped];

const without = (...names: readonly string[]) =>
  forwarded(`without ${names.join(', ')}`, (request) =>
    names.every((name) => request.header(name) === undefined),
  );
/** The gateways are told to say where the request comes from, and all clients come from here. */
const withOwnAddress = forwarded('with X-Forwarded-For as the gateway sets it', (request) =>
  /^127\.0\.0\.1$/.test(field(request, 'x-forwarded-for')),
);
/** Origins that hand fields on as environment variables cannot tell these from the real ones. */
const withoutLookAlikes = forwarded('without look-alikes of X-Forwarded-For', (request) =>
  request.headers.every(
    ([name]) => !name.includes('_') || name.toLowerCase().replaceAll('_', '-') !== 'x-forwarded-for',
  ),
);

const row = (
  id: string,
  title: string,
  fields: string,
  expects: readonly Requirement[],
  source = HOP,
): CaseRow => [id, title, source, get(fields), expects];

const HOP_BY_HOP: readonly CaseRow[] = [
  row('hop-named', 'A field that Connection names', 'Connection: X-A\r\nX-A: b\r\n', [without('x-a')]),
  row(
    'hop-named-list',
    'Fields that Connection names in a list',
    'Connection: keep-alive, X-A , x-b\r\nX-A: b\r\nX-B: c\r\n',
    [without('x-a', 'x-b')],
  ),
  row(
    'hop-named-twice',
    'Fields that two Connection fields name',
    'Connection: X-A\r\nConnection: X-B\r\nX-A: b\r\nX-B: c\r\n',
    [without('x-a', 'x-b')],
  ),
  row('hop-keep-alive', 'Keep-Alive', 'Connection: Keep-Alive\r\nKeep-Alive: timeout=5\r\n', [
    without('keep-alive'),
  ]),
  row('hop-proxy-connection', 'Proxy-Connection', 'Proxy-Connection: keep-alive\r\n', [
    without('proxy-connection'),
  ]),
  row(
    'hop-te',
    'TE for a coding that the gateway may not undo',
    'TE: gzip, trailers\r\nConnection: TE\r\n',
    [forwarded('with TE: trailers or none', (request) => /^(trailers)?$/.test(field(request, 'te')))],
    'RFC 9110 §10.1.4',
  ),
  row(
    'hop-upgrade-unnamed',
    'Upgrade that Connection does not name',
    'Upgrade: websocket\r\n',
    [without('upgrade')],
    'RFC 9110 §7.8',
  ),
  row(
    'hop-names-length',
    'Connection names Content-Length',
    'Connection: Content-Length\r\nContent-Length: 0\r\n',
    [...REFUSES, forwarded('')],
    `${HOP}; CVE-2024-45410`,
  ),
  row(
    'hop-names-host',
    'Connection names Host',
    'Connection: Host\r\n',
    [...REFUSES, forwarded('with a Host', (request) => field(request, 'host') !== '')],
    `${HOP}; CVE-2024-45410`,
  ),
  row(
    'hop-names-forwarded',
    'Connection names X-Forwarded-For',
    'Connection: X-Forwarded-For\r\nX-Forwarded-For: 192.0.2.6\r\n',
    [...REFUSES, withOwnAddress],
    `${HOP}; CVE-2024-45410`,
  ),
  row(
    'hop-names-forwarded-case',
    'Connection names x-forwarded-for in small letters',
    'Connection: close, x-forwarded-for\r\n',
    [...REFUSES, withOwnAddress],
    'CVE-2026-29054',
  ),
  row('hop-names-itself', 'Connection names Connection', 'Connection: connection, close\r\n', [
    ...REFUSES,
    forwarded(''),
  ]),
  row('hop-controls', 'Connection with what is no token', 'Connection: X-A;b, ,,"\r\nX-A: b\r\n', [
    ...REFUSES,
    forwarded(''),
  ]),
  [
    'hop-names-coding',
    'Connection names Transfer-Encoding',
    `${HOP}; CVE-2024-45410`,
    post(`Connection: Transfer-Encoding\r\n${CHUNKED}`, chunk('body') + LAST_CHUNK),
    [...REFUSES, forwarded('with its body', ({ text }) => text === 'body')],
  ],
  [
    'hop-names-length-body',
    'Connection names the Content-Length of a body',
    `${HOP}; CVE-2024-45410`,
    post(`Connection: Content-Length\r\n${contentLength('body')}`, 'body'),
    [...REFUSES, forwarded('with its body', ({ text }) => text === 'body')],
  ],
];

const CLIENT = 'RFC 7239 §8.1: not to be believed';

const FORWARDING: readonly CaseRow[] = [
  row(
    'forwarded-for',
    'X-Forwarded-For of an unknown client',
    'X-Forwarded-For: 192.0.2.6\r\n',
    [withOwnAddress],
    CLIENT,
  ),
  row(
    'forwarded-for-twice',
    'X-Forwarded-For twice',
    'X-Forwarded-For: 192.0.2.6\r\nx-forwarded-for: 192.0.2.7\r\n',
    [withOwnAddress],
    CLIENT,
  ),
  row(
    'forwarded-underscores',
    'X_Forwarded_For',
    'X_Forwarded_For: 192.0.2.6\r\n',
    [withoutLookAlikes],
    CLIENT,
  ),
  row(
    'forwarded-underscore',
    'X-Forwarded_For',
    'X-Forwarded_For: 192.0.2.6\r\n',
    [withoutLookAlikes],
    CLIENT,
  ),
  row(
    'forwarded-space',
    'X-Forwarded-For with a space before the colon',
    'X-Forwarded-For : 192.0.2.6\r\n',
    [refused(400), dropped],
    'RFC 9112 §5.1: MUST reject',
  ),
  row(
    'forwarded-proto',
    'X-Forwarded-Proto of an unknown client',
    'X-Forwarded-Proto: https\r\n',
    [forwarded('with http', (request) => field(request, 'x-forwarded-proto') === 'http')],
    CLIENT,
  ),
  row(
    'forwarded-host',
    'X-Forwarded-Host of an unknown client',
    'X-Forwarded-Host: other.example\r\n',
    [forwarded('without it', (request) => !field(request, 'x-forwarded-host').includes('other.example'))],
    CLIENT,
  ),
];

/** A trailer section with a field that must not be there; `X-Sum` may be. */
const trailer = (
  id: string,
  title: string,
  line: string,
  expects: (name: string, value: string) => Requirement,
): CaseRow => {
  const [name = '', value = ''] = line.split(': ');
  const body = `${chunk('body')}0\r\n${line}\r\nX-Sum: 7\r\n\r\n`;
  return [
    id,
    title,
    'RFC 9110 §6.5.1',
    post(`Trailer: X-Sum\r\n${CHUNKED}`, body),
    [...REFUSES, cutOff, expects(name, value)],
  ];
};

/** Framing and what is for one hop: nobody may pass these on. */
const dropsIt = (name: string, value: string) =>
  forwarded(
    'without it',
    (request) => !hasField(request.trailers, name, value) && !inHead(request, name, value),
  );
/** RFC 9110 §2.2 forbids to generate it, not to forward it; but as a trailer it stays. */
const keepsItApart = (name: string, value: string) =>
  forwarded('without it in the head', (request) => !inHead(request, name, value));

const hasField = (fields: readonly HeaderField[], name: string, value: string) =>
  fields.some(([other, theirs]) => other.toLowerCase() === name.toLowerCase() && theirs === value);
const inHead = (request: HttpMessage, name: string, value: string) => hasField(request.headers, name, value);

const TRAILERS: readonly CaseRow[] = [
  trailer('trailer-length', 'Content-Length as a trailer', 'Content-Length: 99', dropsIt),
  trailer('trailer-coding', 'Transfer-Encoding as a trailer', 'Transfer-Encoding: gzip', dropsIt),
  trailer('trailer-connection', 'Connection as a trailer', 'Connection: X-Sum', dropsIt),
  trailer('trailer-host', 'Host as a trailer', 'Host: other.example', keepsItApart),
  trailer('trailer-authorization', 'Authorization as a trailer', 'Authorization: Basic YTpi', keepsItApart),
  trailer('trailer-cookie', 'Cookie as a trailer', 'Cookie: a=b', keepsItApart),
  trailer('trailer-content-type', 'Content-Type as a trailer', 'Content-Type: text/other', keepsItApart),
  trailer('trailer-forwarded', 'X-Forwarded-For as a trailer', 'X-Forwarded-For: 192.0.2.6', keepsItApart),
  [
    'trailer-no-field',
    'A trailer does not become a field of the head',
    'RFC 9110 §6.5.1: MUST NOT merge',
    post(CHUNKED, `${chunk('body')}0\r\nX-Role: admin\r\n\r\n`),
    [...REFUSES, without('x-role')],
  ],
];

export const FORWARDED_FIELDS: CaseFamily = {
  title: 'Fields of requests, on their way to the origin',
  cases: casesOf([...HOP_BY_HOP, ...FORWARDING, ...TRAILERS]),
};
