/** The first line of a response (RFC 9112 §4). */
import t from 'tap';
import { EMPTY, problemOf, read } from './expectations.ts';

function statusAndReason(line: string): readonly [number | undefined, string | undefined] {
  const { head } = read(`${line}\r\n${EMPTY}`);
  return [head?.status, head?.reason];
}

t.test('status and reason are told as they came', async (t) => {
  t.same(statusAndReason('HTTP/1.1 200 OK'), [200, 'OK']);
  t.same(statusAndReason('HTTP/1.0 404 Not Found'), [404, 'Not Found']);
  t.same(statusAndReason('HTTP/1.1 999 ?'), [999, '?']);
  t.same(statusAndReason('HTTP/1.1 299   two  spaces\t'), [299, '  two  spaces\t']);
});

t.test('a reason may be empty, with and without the space before it', async (t) => {
  t.same(statusAndReason('HTTP/1.1 500 '), [500, '']);
  t.same(statusAndReason('HTTP/1.1 500'), [500, '']);
});

t.test('a reason is read as Latin-1', async (t) => {
  t.same(statusAndReason('HTTP/1.1 200 \x80\xff'), [200, '\x80\xff']);
});

t.test('anything else is no status line', async (t) => {
  const lines = [
    '',
    'HTTP/1.1',
    'HTTP/1.1 ',
    'HTTP/1.1 20',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 000 OK',
    'HTTP/1.1 2\xb20 OK',
    'HTTP/1.1 -20 OK',
    'HTTP/1.1 +20 OK',
    'HTTP/1.1 0x1 OK',
    'HTTP/1.1 200OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1:200 OK',
    ' HTTP/1.1 200 OK',
    'HTTP/1.2 200 OK',
    'HTTP/1.9 200 OK',
    'HTTP/1.10 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/2 200',
    'HTTP/0.9 200 OK',
    'HTTP/01.1 200 OK',
    'http/1.1 200 OK',
    'HTTPS/1.1 200 OK',
    'ICY 200 OK',
    'GET / HTTP/1.1',
    'HTTP/1.1 200 O\x00K',
    'HTTP/1.1 200 O\x0bK',
    'HTTP/1.1 200 O\x7fK',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 O\nK',
    'HTTP/1.1 200\nOK',
    'HTTP/1.1 200 OK\r',
    '\nHTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
  ];
  for (const line of lines)
    t.equal(problemOf(`${line}\r\n${EMPTY}`), 'bad status line', JSON.stringify(line));
});

t.test('what does not begin as HTTP/1 is refused at once, however little has come', async (t) => {
  for (const beginning of [
    '\r',
    ' ',
    'h',
    'HTTP/2',
    'HTTP/1,',
    'SSH-2.0-x',
    '\x15\x03\x01\x00\x02\x02',
    '220 ',
  ])
    t.equal(problemOf(beginning), 'not HTTP/1', JSON.stringify(beginning));
  for (const beginning of ['H', 'HTTP', 'HTTP/1.', 'HTTP/1.1 2'])
    t.equal(problemOf(beginning), '', beginning);
});
