import fc from 'fast-check';
import t from 'tap';
import { blankJsonExtras } from '../../lib/cli/blank-json-extras.ts';

const read = (text: string): unknown => JSON.parse(blankJsonExtras(text));

t.test('comments and trailing commas go, and every other character stays in its place', async (t) => {
  const text = '{ // one\n  "a": [1, 2, /* two\n */ ],\r\n  "b": "x", // last,\n}';
  const blank = (length: number) => ' '.repeat(length);
  t.equal(
    blankJsonExtras(text),
    `{ ${blank(6)}\n  "a": [1, 2${blank(8)}\n${blank(4)}],\r\n  "b": "x"${blank(10)}\n}`,
  );
  t.same(read(text), { a: [1, 2], b: 'x' });
});

t.test('what looks like a comment within a string is text', async (t) => {
  t.same(read('{"u": "http://a/*b*/,]", "q": "\\"//", "e": "\\\\"}'), {
    u: 'http://a/*b*/,]',
    q: '"//',
    e: '\\',
  });
});

t.test('what is wrong stays wrong', async (t) => {
  for (const text of [
    '',
    '[,]x',
    '[1,,]',
    ',',
    '{"a" 1,}',
    '[1 /* 2]',
    '"a',
    '/',
    '[1]/',
    '# x\n1',
    "{'a': 1}",
  ]) {
    t.throws(() => read(text), SyntaxError, text);
  }
});

t.test('strict JSON stays as it is', async () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => blankJsonExtras(text) === text),
    { numRuns: 300 },
  );
});

t.test('text that would make a careless reader slow is read in linear time', async (t) => {
  for (const piece of ['/*', '//', '"', ',', ' ', '/']) {
    t.equal(blankJsonExtras(piece.repeat(200_000)).length, piece.length * 200_000);
  }
});
