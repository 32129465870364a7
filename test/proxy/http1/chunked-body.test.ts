/** Bodies in chunks (RFC 9112 §7.1). */
import t from 'tap';
import { readResponse } from '../../helpers/response-recorder.ts';
import { CHUNKED, OK, read } from './expectations.ts';

const BAD_SIZE = 'a chunk size that is no hexadecimal number, or too large';
const BAD_EXTENSION = 'a malformed chunk extension';
const CONTROL_IN_EXTENSION = 'a control character in a chunk extension';
const BAD_END = 'a chunk that does not end where its size says';

function readChunks(text: string) {
  const { body, trailers, problem, keepsAlive } = read(`${OK}${CHUNKED}${text}`);
  return { body, trailers, problem, keepsAlive };
}

function problemOf(text: string): string {
  return readChunks(text).problem;
}

const whole = (body: string, trailers: string[] = []) => ({ body, trailers, problem: '', keepsAlive: true });

t.test('chunks are put together', async (t) => {
  t.same(readChunks('0\r\n\r\n'), whole(''));
  t.same(readChunks('5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n'), whole('hello world'));
  t.same(
    readChunks(`a\r\n${'x'.repeat(10)}\r\nA\r\n${'y'.repeat(10)}\r\n00\r\n\r\n`),
    whole(`${'x'.repeat(10)}${'y'.repeat(10)}`),
  );
  t.same(readChunks(`10\r\n${'x'.repeat(16)}\r\n0\r\n\r\n`), whole('x'.repeat(16)));
});

t.test('data may look like anything', async (t) => {
  const data = `\r\n0\r\n\r\n${OK}Content-Length: 0\r\n\r\n`;
  t.same(readChunks(`${data.length.toString(16)}\r\n${data}\r\n0\r\n\r\n`), whole(data));
});

t.test('a size is hexadecimal digits and nothing else', async (t) => {
  for (const size of [
    '',
    ' 5',
    '5 ',
    '\t5',
    '+5',
    '-5',
    '0x5',
    '5h',
    'g',
    '5.',
    '5,',
    '5\0',
    '\xb5',
    '"5"',
    '5\x0b',
  ])
    t.equal(problemOf(`${size}\r\nhello\r\n0\r\n\r\n`), BAD_SIZE, JSON.stringify(size));
  t.equal(problemOf(';a\r\nhello\r\n0\r\n\r\n'), BAD_SIZE);
});

t.test('a size has up to 12 digits, leading zeros included', async (t) => {
  t.match(readChunks('000000000005\r\nhello\r\n0\r\n\r\n'), whole('hello'));
  t.match(readChunks('ffffffffffff\r\nhello'), { body: 'hello', problem: '' });
  t.equal(problemOf('0000000000005\r\nhello\r\n0\r\n\r\n'), BAD_SIZE);
  t.equal(problemOf('1000000000000\r\nhello'), BAD_SIZE);
  // Sizes that wrap to 0 or to 5 where they are added up in 32 or 64 bits.
  for (const size of ['100000000', '100000005'])
    t.match(readChunks(`${size}\r\nhello\r\n0\r\n\r\n`), { trailers: null });
  for (const size of ['10000000000000000', '10000000000000005'])
    t.equal(problemOf(`${size}\r\nhello\r\n`), BAD_SIZE);
});

t.test('only CRLF ends a line', async (t) => {
  t.equal(problemOf('5\nhello\r\n0\r\n\r\n'), BAD_SIZE);
  t.equal(problemOf('5\rhello\r\n0\r\n\r\n'), BAD_END);
  t.equal(problemOf('5\r\r\nhello\r\n0\r\n\r\n'), BAD_END);
  t.equal(problemOf('5\rXhello\r\n0\r\n\r\n'), BAD_END);
  t.equal(problemOf('5\r\nhelloX\n0\r\n\r\n'), BAD_END);
  t.equal(problemOf('5\r\nhello\rX0\r\n\r\n'), BAD_END);
  t.equal(problemOf('5\r\nhello\n0\r\n\r\n'), BAD_END);
  t.equal(problemOf('5\r\nhello\r0\r\n\r\n'), BAD_END);
  t.equal(problemOf('5;a\nhello\r\n0\r\n\r\n'), CONTROL_IN_EXTENSION);
  t.equal(problemOf('0\r\n\n'), 'CR or LF alone in the trailer section');
  t.equal(problemOf('0\r\n\rX'), 'CR or LF alone in the trailer section');
  t.equal(problemOf('0\n\n'), BAD_SIZE);
});

t.test('data ends where the size says', async (t) => {
  t.equal(problemOf('4\r\nhello\r\n0\r\n\r\n'), BAD_END);
  t.equal(problemOf('6\r\nhello\r\n0\r\n\r\n'), BAD_END);
  t.equal(problemOf('5\r\nhello0\r\n\r\n'), BAD_END);
  t.equal(problemOf('5\r\nhello\r\n\r\n0\r\n\r\n'), BAD_SIZE);
});

t.test('extensions are read over', async (t) => {
  for (const extension of [
    ';a',
    ';a=b',
    ';a="b"',
    ';a=";\\" = \\\\"',
    ';a="";b=c',
    '; a ; b = "\x80\t"',
    ';a=5\t;b',
    ';\ta',
  ])
    t.same(readChunks(`5${extension}\r\nhello\r\n0${extension}\r\n\r\n`), whole('hello'), extension);
});

t.test('what is no extension is refused', async (t) => {
  for (const extension of [
    ';',
    ';;',
    ';a;',
    ';=b',
    ';a=',
    ';a b',
    ';a=b c',
    ';a="b',
    ';a=b"',
    ';a="b"c',
    ';a="b\\',
    ';a="\\',
    ';\xe4',
    ';a=b;,',
    ';a=',
    '; ',
    ';a ',
  ])
    t.equal(problemOf(`5${extension}\r\nhello\r\n0\r\n\r\n`), BAD_EXTENSION, JSON.stringify(extension));
  for (const character of ['\0', '\n', '\x0b', '\x0c', '\x1f', '\x7f'])
    t.equal(
      problemOf(`5;a="${character}"\r\nhello\r\n0\r\n\r\n`),
      CONTROL_IN_EXTENSION,
      JSON.stringify(character),
    );
});

t.test('a line end within quotes ends the line, and the quotes are refused', async (t) => {
  t.equal(problemOf('5;a="\r\nhello\r\n0\r\n\r\n"\r\nworld\r\n0\r\n\r\n'), BAD_EXTENSION);
});

t.test('extensions of all chunks together are at most 16 KiB', async (t) => {
  const name = 'a'.repeat(1_023);
  const chunks = (count: number) => `1;${name}\r\nx\r\n`.repeat(count);
  t.match(readChunks(`${chunks(16)}0\r\n\r\n`), { body: 'x'.repeat(16), trailers: [] });
  t.equal(problemOf(`${chunks(17)}0\r\n\r\n`), 'more than 16384 bytes of chunk extensions');
  t.equal(problemOf(`1;${'a'.repeat(20_000)}`), 'more than 16384 bytes of chunk extensions');
});

t.test('trailers are told, read as strictly as fields', async (t) => {
  t.same(
    readChunks('1\r\na\r\n0\r\nX-One: 1\r\nx-two:  \xe4 \r\n\r\n'),
    whole('a', ['X-One', '1', 'x-two', '\xe4']),
  );
  t.same(
    readChunks('0\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n').problem,
    '',
    'they frame nothing',
  );
  const noName = 'a field line that does not begin with a token and a colon';
  for (const line of ['X : a', ': a', 'X', ' X: a', 'X: a\r\n b'])
    t.equal(problemOf(`0\r\n${line}\r\n\r\n`), noName, line);
  for (const line of ['X: \0', 'X: \x7f'])
    t.equal(problemOf(`0\r\n${line}\r\n\r\n`), 'a control character in a field', line);
  for (const line of ['X: a\nY: b', 'X: a\rY: b'])
    t.not(problemOf(`0\r\n${line}\r\n\r\n`), '', JSON.stringify(line));
});

t.test('trailers are at most 16 KiB, and 1,000 fields', async (t) => {
  const tooLong = 'the trailer section is longer than 16384 bytes';
  const trailer = (length: number) => `X: ${'a'.repeat(length)}\r\n`;
  t.equal(problemOf(`0\r\n${trailer(16_384 - 5)}\r\n`), '');
  t.equal(problemOf(`0\r\n${trailer(16_384)}\r\n`), tooLong);
  t.equal(problemOf(`0\r\n${'X: a\r\n'.repeat(4_000)}`), tooLong, 'without waiting for their end');
  t.equal(problemOf(`0\r\n${'a:b\r\n'.repeat(1_001)}\r\n`), 'more than 1000 fields');
});

t.test('a body that is cut off is not whole, wherever it is cut', async (t) => {
  const text = '5;a="b"\r\nhello\r\n0\r\nX: a\r\n\r\n';
  for (let length = 0; length < text.length; length += 1) {
    const reading = readResponse([`${OK}${CHUNKED}${text.slice(0, length)}`], { closes: true });
    t.match(reading, { trailers: null, problem: 'broken off', keepsAlive: false }, text.slice(0, length));
  }
});
