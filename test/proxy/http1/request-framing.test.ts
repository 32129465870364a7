/** Where the body of a request ends (RFC 9112 §6.3), and what is no framing at all. */
import t from 'tap';
import { readRequestHead } from '../../../lib/core/http/request-headers.ts';
import { bodyLengthOf, CHUNKED, UNKNOWN } from '../../../lib/proxy/http1/request-framing.ts';
import { readRequests } from '../../helpers/request-recorder.ts';
import { GET, HOST, summaryOf } from './request-expectations.ts';

const lengthOf = (fields: readonly string[], method = 'POST', version = '1.1') =>
  bodyLengthOf(method, version, readRequestHead(fields));

const LENGTH = ['Content-Length', '5'];
const CODING = ['Transfer-Encoding', 'chunked'];

t.test('without either field there is no body, whatever the method', async (t) => {
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])
    for (const version of ['1.0', '1.1']) t.equal(lengthOf(['Host', 'a'], method, version), 0, method);
});

t.test('Content-Length counts its bytes', async (t) => {
  for (const method of ['GET', 'HEAD', 'POST'])
    for (const version of ['1.0', '1.1']) t.equal(lengthOf(LENGTH, method, version), 5, method);
  t.equal(lengthOf(['cONTENT-lENGTH', '0']), 0);
  t.equal(lengthOf(['Content-Length', '0000000000000000000005']), 5);
  t.equal(lengthOf(['Content-Length', '9007199254740991']), Number.MAX_SAFE_INTEGER);
});

t.test('anything but digits, or too many of them, is unknown', async (t) => {
  const values = [
    '',
    '+5',
    '-5',
    '5.0',
    '5e0',
    '0x5',
    '5 5',
    '5\t5',
    '5, 5',
    '5,5',
    ',5',
    '5;',
    '"5"',
    'five',
  ];
  const large = ['9007199254740992', '9007199254740993', '18446744073709551615', '18446744073709551616'];
  for (const value of [...values, ...large, '9'.repeat(400), '\xb2', '5\xa0', '\xa05'])
    t.equal(lengthOf(['Content-Length', value]), UNKNOWN, value);
});

t.test('more than one Content-Length is unknown, the same twice too', async (t) => {
  for (const other of ['5', '6', '', '0', 'x'])
    for (const fields of [
      [...LENGTH, 'Content-Length', other],
      ['content-length', other, 'X', 'y', ...LENGTH],
    ])
      t.equal(lengthOf(fields), UNKNOWN, String(fields));
});

t.test('chunked is the one coding that is known, in any case', async (t) => {
  for (const value of ['chunked', 'Chunked', 'CHUNKED'])
    t.equal(lengthOf(['tRANSFER-eNCODING', value], 'GET'), CHUNKED, value);
  const known = [
    'identity',
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'chunked, identity',
  ];
  const disguised = [
    'xchunked',
    'chunkedx',
    '"chunked"',
    'chunked;q=1',
    'chunked,',
    ',chunked',
    '\xa0chunked',
  ];
  for (const value of [...known, ...disguised, 'chun ked', '\x0bchunked'])
    t.equal(lengthOf(['Transfer-Encoding', value]), UNKNOWN, value);
});

t.test('an empty Transfer-Encoding is one that nobody knows, not none (RFC 9112 §6.3)', async (t) => {
  t.equal(lengthOf(['Transfer-Encoding', '']), UNKNOWN);
  t.equal(lengthOf([...LENGTH, 'Transfer-Encoding', '']), UNKNOWN);
  t.equal(lengthOf([...CODING, 'Transfer-Encoding', '']), UNKNOWN);
  t.equal(lengthOf(['Transfer-Encoding', '', ...CODING]), UNKNOWN);
});

t.test('several Transfer-Encoding fields are one list', async (t) => {
  for (const other of ['chunked', 'gzip', 'identity'])
    for (const fields of [
      [...CODING, 'X', 'y', 'transfer-encoding', other],
      ['transfer-encoding', other, ...CODING],
    ])
      t.equal(lengthOf(fields), UNKNOWN, String(fields));
});

t.test('both fields are unknown together, in either order, whatever the length', async (t) => {
  for (const length of ['5', '0', '', 'x'])
    for (const fields of [
      ['Content-Length', length, ...CODING],
      [...CODING, 'Content-Length', length],
    ])
      t.equal(lengthOf(fields), UNKNOWN, String(fields));
});

t.test('HTTP/1.0 knows no chunks, and other versions are not known here', async (t) => {
  t.equal(lengthOf(CODING, 'POST', '1.0'), UNKNOWN);
  for (const version of ['0.9', '2.0'])
    for (const fields of [[], LENGTH, CODING]) t.equal(lengthOf(fields, 'GET', version), UNKNOWN, version);
});

t.test('what follows a CONNECT is a tunnel', async (t) => {
  for (const fields of [[], LENGTH, CODING]) t.equal(lengthOf(fields, 'CONNECT'), UNKNOWN);
});

t.test('fields whose names only resemble those of framing frame nothing', async (t) => {
  for (const name of [
    'Transfer_Encoding',
    'Content_Length',
    'Content-Lengt!',
    'XTransfer-Encoding',
    'TransferEncoding',
  ])
    t.equal(lengthOf([name, '5']), 0, name);
});

const UNFRAMED: readonly string[] = [
  `CONNECT a:80 HTTP/1.1\r\n${HOST}\r\n`,
  `GET / HTTP/2.0\r\n${HOST}\r\n`,
  `GET /\r\n${HOST}\r\n`,
  `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding:\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`,
  `POST / HTTP/1.1\r\n${HOST}Content-Length: x\r\n\r\n`,
];

t.test('what is behind an unknown framing is never read as a request, nor as a body', async (t) => {
  for (const head of UNFRAMED)
    for (const surplus of [GET, `0\r\n\r\n${GET}`, 'no HTTP at all', '\r\n\r\n'])
      for (const pieces of [[`${head}${surplus}`], [head, surplus], [...`${head}${surplus}`]]) {
        const { requests, problem, isInBody, isInHead } = readRequests(pieces);
        t.equal(requests.length, 1, JSON.stringify(head));
        t.match(requests[0], { head: { isFramed: false, isWhole: false }, body: '', trailers: null });
        t.same([problem, isInBody, isInHead], ['', true, false]);
      }
});

t.test('what is framed is, and what has no body is whole with its head', async (t) => {
  const whole = ['', 'Content-Length: 0\r\n'];
  for (const fields of [...whole, 'Content-Length: 1\r\n', 'Transfer-Encoding: chunked\r\n']) {
    const [request] = readRequests([`POST / HTTP/1.1\r\n${HOST}${fields}\r\n`]).requests;
    t.match(request?.head, { isFramed: true, isWhole: whole.includes(fields) }, fields);
  }
  t.same(summaryOf([`POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n${GET}`]), [
    ['POST', '/', '', []],
    ['GET', '/', '', []],
  ]);
});
