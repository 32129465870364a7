import fc from 'fast-check';
import t from 'tap';
import {
  checksummedPieces,
  DamagedTextError,
  decodeChecksummed,
  encodeChecksummed,
} from '../../lib/store/checksummed-json.ts';
import { jsonPieces } from '../../lib/store/json-pieces.ts';

const FORMAT = 'test/1';

t.test('the pieces of a JSON text make up what JSON.stringify gives, at any depth', async () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(4), (value, depth) => {
      return [...jsonPieces(value, depth)].join('') === JSON.stringify(value);
    }),
    { numRuns: 500 },
  );
});

t.test('what was encoded is decoded, in whatever pieces it was written', async () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(3), (value, depth) => {
      const text = [...checksummedPieces(FORMAT, jsonPieces(value, depth))].join('');
      const decoded = JSON.stringify(decodeChecksummed(FORMAT, text));
      return text === encodeChecksummed(FORMAT, value) && decoded === JSON.stringify(value);
    }),
    { numRuns: 300 },
  );
});

t.test('a content may hold what looks like its end', async (t) => {
  const content = { a: ',"sha256":"', b: [{ sha256: 'x', content: 1 }] };
  t.strictSame(decodeChecksummed(FORMAT, encodeChecksummed(FORMAT, content)), content);
});

t.test('any character that is changed is noticed', async (t) => {
  const text = encodeChecksummed(FORMAT, { name: 'orders', ports: [8080, 8081], on: true });
  const isNoticed = (damaged: string): boolean => {
    try {
      decodeChecksummed(FORMAT, damaged);
      return false;
    } catch (error) {
      return error instanceof DamagedTextError;
    }
  };
  for (let index = 0; index < text.length; index += 1) {
    for (const character of ['x', '7', '"', '\0']) {
      const damaged = `${text.slice(0, index)}${character}${text.slice(index + 1)}`;
      if (damaged !== text) t.ok(isNoticed(damaged), damaged);
    }
  }
});

t.test('white space between the values may differ, and the order of the parts', async (t) => {
  const content = { name: 'a b', list: [1, { c: null }] };
  const { sha256 } = JSON.parse(encodeChecksummed(FORMAT, content));
  for (const indent of [0, 2, '\t']) {
    t.strictSame(
      decodeChecksummed(FORMAT, JSON.stringify({ sha256, content, format: FORMAT }, null, indent)),
      content,
    );
  }
});
