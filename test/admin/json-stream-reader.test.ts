import fc from 'fast-check';
import t from 'tap';
import { JsonStreamReader, JsonSyntaxError } from '../../lib/admin/json-stream-reader.ts';

/** Reads a text that arrives in pieces of this size. */
function read(bytes: Buffer, size: number): unknown {
  const reader = new JsonStreamReader();
  for (let start = 0; start < bytes.length; start += size) reader.push(bytes.subarray(start, start + size));
  return reader.end();
}

/** What a reader makes of a text: its value, or that it refuses it. */
function outcomeOf(parse: () => unknown): unknown {
  try {
    return { value: parse() };
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof JsonSyntaxError)) throw error;
    return /the key is there twice/.test(error.message) ? 'ambiguous' : 'refused';
  }
}

const json = fc.jsonValue({ maxDepth: 5 }).filter((value) => !JSON.stringify(value).includes('__proto__'));
const pieceSize = fc.integer({ min: 1, max: 40 });

t.test('it reads what JSON.parse reads, in whatever pieces it arrives', async (t) => {
  const indent = fc.constantFrom(undefined, 1, '\t', '\r\n');
  const property = fc.property(json, indent, pieceSize, (value, space, size) => {
    const text = JSON.stringify(value, null, space);
    t.strictSame(read(Buffer.from(text), size), JSON.parse(text));
  });
  fc.assert(property, { numRuns: 500 });
});

t.test(
  'it refuses what JSON.parse refuses: no byte too many, too few or out of place goes unseen',
  async (t) => {
    const edit = fc.record({
      at: fc.nat(),
      removed: fc.nat({ max: 2 }),
      added: fc.constantFrom(
        '',
        ',',
        ':',
        '{',
        '}',
        '[',
        ']',
        '"',
        '\\',
        '1',
        '-',
        'x',
        ' ',
        '{}',
        'null',
        ',,',
      ),
    });
    const property = fc.property(json, edit, pieceSize, (value, { at, removed, added }, size) => {
      const text = JSON.stringify(value);
      const where = at % (text.length + 1);
      const edited = text.slice(0, where) + added + text.slice(where + removed);
      // Nothing at all is no body, not a bad one.
      if (edited.trim() === '' || edited.includes('\uD83D') || !edited.isWellFormed()) return;
      const ours = outcomeOf(() => read(Buffer.from(edited), size));
      // What JSON.parse makes of that is up to it; tests below say where it is refused.
      if (ours === 'ambiguous') return;
      t.strictSame(
        ours,
        outcomeOf(() => JSON.parse(edited)),
        edited,
      );
    });
    fc.assert(property, { numRuns: 1_000 });
  },
);

const MALFORMED = [
  '{"a":1,}',
  '{,"a":1}',
  '[1,]',
  '[,1]',
  '{"a" 1}',
  '{"a":}',
  '{"a"}',
  '{a:1}',
  '{1:1}',
  '[1 2]',
  '{"a":1 "b":2}',
  '{"a":[1}}',
  '[{"a":1]',
  '{"a":{"b":[1}}}',
  ']',
  '}',
  ',',
  ':',
  '{',
  '[',
  '"a',
  '{"a',
  '{"a":"',
  '[1',
  '1 2',
  '{} {}',
  '{}]',
  'tru',
  '01',
  '1.',
  '+1',
  'NaN',
  "{'a':1}",
  '{"a":"\t"}',
  '{"a":{"b":"\n"}}',
  '[[[1,]]]',
  '\u00001',
  '{}\ufeff',
  ' \ufeff{}',
  '\ufeff\ufeff{}',
];

t.test('malformed texts are refused', async (t) => {
  for (const text of MALFORMED) {
    for (const size of [1, 3, 1_000]) {
      t.throws(() => read(Buffer.from(text), size), { name: 'JsonSyntaxError' }, JSON.stringify(text));
    }
  }
});

t.test('a byte order mark is passed over, as in files', async (t) => {
  for (const size of [1, 2, 3, 4, 100]) {
    t.same(read(Buffer.from('\ufeff{"a":1}'), size), { a: 1 });
    t.same(read(Buffer.from('\ufeff 7'), size), 7);
    t.equal(read(Buffer.from('\ufeff'), size), undefined);
    for (const bytes of [[0xef], [0xef, 0xbb], [0xef, 0x31], [0xef, 0xbb, 0x31], [0xbb], [0xbf]]) {
      t.throws(() => read(Buffer.from(bytes), size), { name: 'JsonSyntaxError' });
    }
  }
});

t.test('a key that is there twice is refused, with its place', async (t) => {
  const texts: readonly (readonly [string, string])[] = [
    ['{"routes":{"a":{},"b":{},"a":{}}}', 'not acceptable (byte 25, at /routes/a): the key is there twice'],
    ['{"routes":{},"routes":{}}', 'not acceptable (byte 13, at /routes): the key is there twice'],
    ['{"ops":[],"o\\u0070s":[]}', 'not acceptable (byte 10, at /ops): the key is there twice'],
  ];
  for (const [text, message] of texts) {
    for (const size of [1, 7, 100]) t.throws(() => read(Buffer.from(text), size), { message }, text);
  }
  t.same(read(Buffer.from('{"a":{"x":1},"b":{"x":1},"toString":1}'), 5), {
    a: { x: 1 },
    b: { x: 1 },
    toString: 1,
  });
});

t.test('the error says where, and repeats nothing of the values', async (t) => {
  const text = '{"clusters":{},"routes":{"r/1":{"secret":hunter2}}}';
  t.throws(() => read(Buffer.from(text), 7), {
    message: 'not valid JSON (byte 31, at /routes/r~11): the value is not valid JSON',
  });
  t.throws(() => read(Buffer.from('[1, 2, {]'), 100), { message: /\(byte 8, at \/2\)/ });
});

t.test('no key reaches a prototype, however it is written', async (t) => {
  const texts = [
    '{"__proto__":{"a":1}}',
    '{"__proto__":1}',
    '{"a":{"__proto__":{"a":1}}}',
    '{"a":{"b":{"c":[{"__proto__":1}]}}}',
    '{"\\u005f_proto__":{}}',
    '[[[{"\\u005f\\u005fproto\\u005f_":{}}]]]',
  ];
  for (const text of texts) {
    t.throws(() => read(Buffer.from(text), 5), { message: /the key "__proto__" is not allowed/ }, text);
  }
  t.same(
    read(Buffer.from('{"a":["__proto__","\\u005f"]}'), 5),
    { a: ['__proto__', '_'] },
    'as a value it is a text',
  );
});

t.test('bytes that are not UTF-8, and endless nesting, are refused', async (t) => {
  t.throws(() => read(Buffer.from([0x22, 0xff, 0x22]), 10), { message: /not UTF-8/ });
  const deep = Buffer.from('['.repeat(1_000_000));
  t.throws(() => read(deep, 65_536), { name: 'JsonSyntaxError' });
  t.throws(() => read(Buffer.from(`${'['.repeat(500)}${']'.repeat(500)}`), 65_536), {
    name: 'JsonSyntaxError',
  });
});

t.test('no body is no value', async (t) => {
  t.equal(read(Buffer.from(''), 1), undefined);
  t.equal(read(Buffer.from(' \n'), 1), undefined);
});
