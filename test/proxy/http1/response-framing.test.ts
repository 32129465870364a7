/** Where a body ends, and whether the connection lives on (RFC 9112 §6.3, §9.3). */
import t from 'tap';
import { readResponse } from '../../helpers/response-recorder.ts';
import { CHUNKED, EMPTY, OK, problemOf, read } from './expectations.ts';

const BAD_LENGTH = 'Content-Length is no number, or too large';
const UNKNOWN_CODING = 'unknown transfer coding';

t.test('Content-Length counts the bytes of the body', async (t) => {
  for (const value of ['5', ' 5 ', '\t5\t', '05', '0000000000000000000005'])
    t.match(read(`${OK}Content-Length:${value}\r\n\r\nhello`), {
      body: 'hello',
      trailers: [],
      keepsAlive: true,
    });
  t.match(read(`${OK}cOntent-lEngth: 0\r\n\r\n`), { body: '', trailers: [], keepsAlive: true });
});

t.test('a Content-Length of anything but digits, or too many, is refused', async (t) => {
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
    '\xb2',
    '5\xa0',
  ];
  for (const value of values)
    t.equal(problemOf(`${OK}Content-Length: ${value}\r\n\r\nhello`), BAD_LENGTH, value);
  t.equal(problemOf(`${OK}Content-Length: ${Number.MAX_SAFE_INTEGER}\r\n\r\n`), '');
  for (const value of ['9007199254740992', '18446744073709551616', '18446744073709551621', '9'.repeat(400)])
    t.equal(problemOf(`${OK}Content-Length: ${value}\r\n\r\n`), BAD_LENGTH, value);
});

t.test('more than one Content-Length is refused, the same twice too', async (t) => {
  for (const [one, other] of [
    ['5', '5'],
    ['5', '6'],
    ['5', ''],
    ['0', '5'],
  ])
    t.equal(
      problemOf(`${OK}Content-Length: ${one}\r\nX: y\r\ncontent-length: ${other}\r\n\r\n`),
      'more than one Content-Length',
    );
});

t.test('Content-Length beside Transfer-Encoding is refused, in either order', async (t) => {
  const [length, chunked] = ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'];
  for (const fields of [`${length}${chunked}`, `${chunked}${length}`, `${chunked}Content-Length: \r\n`])
    t.equal(problemOf(`${OK}${fields}\r\n`), 'Content-Length beside Transfer-Encoding');
});

t.test('Transfer-Encoding in HTTP/1.0 is refused', async (t) => {
  t.equal(problemOf(`HTTP/1.0 200 OK\r\n${CHUNKED}0\r\n\r\n`), 'Transfer-Encoding in HTTP/1.0');
});

t.test('chunked is the only coding that is read, in any spelling', async (t) => {
  for (const value of ['chunked', 'Chunked', 'CHUNKED \t'])
    t.match(read(`${OK}Transfer-Encoding: ${value}\r\n\r\n1\r\na\r\n0\r\n\r\n`), { body: 'a', trailers: [] });
  const values = [
    '',
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
    'chun ked',
  ];
  for (const value of [...values, ...disguised])
    t.equal(problemOf(`${OK}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`), UNKNOWN_CODING, value);
});

t.test('several Transfer-Encoding fields are one list', async (t) => {
  for (const [one, other] of [
    ['chunked', 'chunked'],
    ['gzip', 'chunked'],
    ['', 'chunked'],
    ['chunked', ''],
  ])
    t.equal(
      problemOf(`${OK}Transfer-Encoding: ${one}\r\nX: y\r\ntransfer-encoding: ${other}\r\n\r\n0\r\n\r\n`),
      UNKNOWN_CODING,
    );
});

t.test('fields whose names only resemble those of framing frame nothing', async (t) => {
  const names = [
    'Transfer_Encoding',
    'Transfer-Encodin!',
    'XTransferEncoding',
    'Content_Length',
    'Content-Lengt!',
  ];
  for (const name of names)
    t.match(readResponse([`${OK}${name}: chunked\r\n\r\n5\r\n`], { closes: true }), {
      body: '5\r\n',
      trailers: [],
    });
});

t.test('without either the body ends with the connection', async (t) => {
  const response = `${OK}\r\nhello`;
  t.match(readResponse([response, 'HTTP/1.1 200 OK\r\n\r\n'], { closes: true }), {
    body: 'helloHTTP/1.1 200 OK\r\n\r\n',
    trailers: [],
    keepsAlive: false,
    problem: '',
  });
  t.match(read(response), { body: 'hello', trailers: null });
});

t.test('HEAD, 204 and 304 have no body, whatever the fields say', async (t) => {
  const declarations = ['', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'];
  for (const [method, status] of [
    ['HEAD', 200],
    ['HEAD', 500],
    ['GET', 204],
    ['POST', 204],
    ['GET', 304],
  ] as const)
    for (const fields of declarations)
      t.match(
        read(`HTTP/1.1 ${status} A\r\n${fields}\r\n`, method),
        { head: { status }, body: '', trailers: [], problem: '' },
        `${method} ${status} ${fields}`,
      );
});

t.test('they are refused all the same where their framing is contradictory', async (t) => {
  const fields = 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n';
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const)
    t.not(read(`HTTP/1.1 ${status} A\r\n${fields}\r\n`, method).problem, '');
});

t.test('205 has a body like any other: that it is empty is to be said', async (t) => {
  t.match(read(`HTTP/1.1 205 A\r\nContent-Length: 1\r\n\r\na`), { body: 'a', trailers: [] });
  t.match(read('HTTP/1.1 205 A\r\n\r\n'), { trailers: null });
});

t.test('the connection is kept where the version and Connection say so', async (t) => {
  const cases: readonly [version: string, fields: string, keepsAlive: boolean][] = [
    ['1.1', '', true],
    ['1.1', 'Connection: close\r\n', false],
    ['1.1', 'Connection: CLOSE\r\n', false],
    ['1.1', 'cOnnectiOn: a, \t Close , b\r\n', false],
    ['1.1', 'Connection: a\r\nX: y\r\nConnection: close\r\n', false],
    ['1.1', 'Connection: keep-alive, close\r\n', false],
    ['1.1', 'Connection: keep-alive\r\nConnection: close\r\n', false],
    ['1.1', 'Connection: close\r\nConnection: keep-alive\r\n', false],
    ['1.0', 'Connection: keep-alive\r\nConnection: a\r\n', true],
    ['1.1', 'Connection: closed, xclose, close-x\r\n', true],
    ['1.1', 'Connection: \r\n', true],
    ['1.1', 'Proxy-Connection: close\r\n', true],
    ['1.0', '', false],
    ['1.0', 'Connection: keep-alive\r\n', true],
    ['1.0', 'Connection: a,Keep-Alive\r\n', true],
    ['1.0', 'Connection: a\r\nConnection: keep-alive\r\n', true],
    ['1.0', 'Connection: keep-alive\r\nConnection: close\r\n', false],
    ['1.0', 'Connection: keep-alive2\r\n', false],
    ['1.0', 'Connection: \xa0keep-alive\r\n', false],
    ['1.0', 'Keep-Alive: timeout=5\r\n', false],
  ];
  for (const [version, fields, keepsAlive] of cases)
    t.equal(
      read(`HTTP/${version} 200 OK\r\n${fields}${EMPTY}`).keepsAlive,
      keepsAlive,
      `${version} ${fields}`,
    );
});

t.test('a 204 that declares a body costs the connection: the body may follow', async (t) => {
  const keepsAlive = (status: number, field: string) =>
    read(`HTTP/1.1 ${status} A\r\n${field}\r\n\r\n`).keepsAlive;
  t.equal(keepsAlive(204, 'Content-Length: 5'), false);
  t.equal(keepsAlive(204, 'Transfer-Encoding: chunked'), false);
  t.equal(keepsAlive(204, 'Content-Length: 0'), true);
  // Here it tells of the body that a GET, or a response without a condition, would have had (RFC 9110 §8.6).
  t.equal(keepsAlive(304, 'Content-Length: 5'), true);
  t.equal(read(`${OK}Content-Length: 5\r\n\r\n`, 'HEAD').keepsAlive, true);
});

t.test('Keep-Alive says for how long', async (t) => {
  const seconds = (fields: string) => read(`${OK}${fields}${EMPTY}`).keepAliveSeconds;
  t.equal(seconds(''), -1);
  t.equal(seconds('Keep-Alive: timeout=5\r\n'), 5);
  t.equal(seconds('keep-alive: max=100, Timeout = "5"\r\n'), 5);
  t.equal(seconds('Keep-Alive: timeout=0\r\n'), 0);
  t.equal(seconds('Keep-Alive: 5\r\n'), -1);
  t.equal(seconds('Keep-Alive: xtimeout=5\r\n'), -1);
  t.equal(seconds('Keep-Alive: timeout=soon\r\n'), -1);
  t.equal(seconds('Keep-Alive: timeout=-5\r\n'), -1);
});
