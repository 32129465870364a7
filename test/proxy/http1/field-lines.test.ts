/** The field lines of a head (RFC 9110 §5, RFC 9112 §5). */
import t from 'tap';
import { EMPTY, OK, problemOf, readFields } from './expectations.ts';

const NO_NAME = 'a field line that does not begin with a token and a colon';
const CONTROL = 'a control character in a field';

t.test('fields are told in their order, with the spelling of their names', async (t) => {
  t.same(readFields(''), []);
  t.same(readFields('B: 1\r\na: 2\r\nB: 3\r\n'), ['B', '1', 'a', '2', 'B', '3']);
});

t.test('white space around a value is no part of it, white space within is', async (t) => {
  t.same(readFields('A:b\r\n'), ['A', 'b']);
  t.same(readFields('A: \t b \t c \t \r\n'), ['A', 'b \t c']);
  t.same(readFields('A: \xa0b\xa0\r\n'), ['A', '\xa0b\xa0']);
});

t.test('a value may be empty', async (t) => {
  for (const line of ['A:', 'A: ', 'A:\t \t']) t.same(readFields(`${line}\r\nB: c\r\n`), ['A', '', 'B', 'c']);
});

t.test('values are read as Latin-1, whatever an origin means', async (t) => {
  t.same(readFields('A: \x80\xe4\xff\r\n'), ['A', '\x80\xe4\xff']);
  t.same(readFields('A: \xc3\xa4\r\n'), ['A', '\xc3\xa4']);
});

t.test('colons and all other visible characters may stand in a value', async (t) => {
  const visible = String.fromCharCode(...Array.from({ length: 94 }, (_, index) => index + 0x21));
  t.same(readFields(`A: ${visible}\r\n`), ['A', visible]);
});

t.test('every character of a token may stand in a name, and no other', async (t) => {
  for (let code = 0; code < 256; code += 1) {
    const name = `a${String.fromCharCode(code)}b`;
    const isToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
    // A colon ends the name.
    const expected = code === 0x3a ? ['a', 'b:1'] : isToken ? [name, '1'] : null;
    t.same(readFields(`${name}:1\r\n`), expected, `byte ${code}`);
  }
});

t.test('no control character but the tab may stand in a value', async (t) => {
  for (let code = 0; code < 256; code += 1) {
    const isControl = (code < 0x20 && code !== 0x09) || code === 0x7f;
    const value = `a${String.fromCharCode(code)}b`;
    t.equal(problemOf(`${OK}A: ${value}\r\n${EMPTY}`), isControl ? CONTROL : '', `byte ${code}`);
  }
});

t.test('a name without anything, or with white space behind it, is refused', async (t) => {
  for (const line of [
    ': a',
    'A : b',
    'A\t: b',
    ' A: b',
    '\tA: b',
    'A',
    'A b',
    ':',
    ' ',
    'A\0: b',
    'B\xe4r: a',
  ])
    t.equal(problemOf(`${OK}${line}\r\n${EMPTY}`), NO_NAME, JSON.stringify(line));
});

t.test('a value that is continued on the next line is refused (obs-fold)', async (t) => {
  for (const fold of ['\r\n b', '\r\n\tb', '\r\n '])
    t.equal(problemOf(`${OK}A: a${fold}\r\n${EMPTY}`), NO_NAME);
});

t.test('CR or LF alone ends no line', async (t) => {
  for (const value of ['a\rB: c', 'a\nB: c', 'a\r', 'a\n', '\n', '\r\r', 'a\n\r', 'a\n\nB: c', 'a\r\r\nB: c'])
    t.equal(problemOf(`${OK}A: ${value}\r\n${EMPTY}`), CONTROL, JSON.stringify(value));
  t.equal(problemOf(`${OK}A\n: b\r\n${EMPTY}`), NO_NAME);
});

t.test('1,000 fields are read, one more is too many', async (t) => {
  t.equal(readFields('a:b\r\n'.repeat(1_000))?.length, 2_000);
  t.equal(problemOf(`${OK}${'a:b\r\n'.repeat(1_001)}\r\n`), 'more than 1000 fields');
});
