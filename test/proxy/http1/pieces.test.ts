/** In whatever pieces a response comes, it is the same. */
import fc from 'fast-check';
import t from 'tap';
import { readResponse } from '../../helpers/response-recorder.ts';
import { OK } from './expectations.ts';

const SEED = 20_261_123;

const latin1 = (characters: RegExp) =>
  fc.constantFrom(
    ...Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter((character) =>
      characters.test(character),
    ),
  );
const token = fc.string({ unit: latin1(/[!#$%&'*+.^_`|~0-9A-Za-z-]/), minLength: 1, maxLength: 20 });
const value = fc.string({ unit: latin1(/[\t\x20-\x7e\x80-\xff]/), maxLength: 40 });
const field = fc.tuple(token, value).filter(([name]) => !/^(content-length|transfer-encoding)$/i.test(name));
const fields = fc.array(field, { maxLength: 6 });
const data = fc.string({ unit: latin1(/^/), maxLength: 60 });

interface Response {
  readonly text: string;
  readonly interim: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
}

const linesOf = (list: readonly (readonly [string, string])[]) =>
  list.map(([name, text]) => `${name}:${text}\r\n`).join('');
/** As readers give it back: flat, and without white space around values. */
const flat = (list: readonly (readonly [string, string])[]) =>
  list.flatMap(([name, text]) => [name, text.replace(/^[ \t]+|[ \t]+$/g, '')]);

const chunk = (text: string) => `${text.length.toString(16)};x="\\""\r\n${text}\r\n`;

const response: fc.Arbitrary<Response> = fc
  .record({
    interim: fc.nat(3),
    fields,
    chunks: fc.array(
      data.filter((text) => text !== ''),
      { maxLength: 4 },
    ),
    isChunked: fc.boolean(),
    trailers: fields,
  })
  .map(({ interim, fields, chunks, isChunked, trailers }) => {
    const body = chunks.join('');
    const [framing, content] = isChunked
      ? [
          ['Transfer-Encoding', 'chunked'] as const,
          `${chunks.map(chunk).join('')}0\r\n${linesOf(trailers)}\r\n`,
        ]
      : [['Content-Length', String(body.length)] as const, body];
    const all = [...fields, framing];
    const head = `${'HTTP/1.1 103 A\r\nX: y\r\n\r\n'.repeat(interim)}${OK}${linesOf(all)}\r\n`;
    return { text: `${head}${content}`, interim, fields: all, body, trailers: isChunked ? trailers : [] };
  });

/** Where to cut, as shares. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

function cut(text: string, shares: readonly number[]): string[] {
  const edges = [
    0,
    ...shares.map((share) => Math.floor(share * text.length)).sort((a, b) => a - b),
    text.length,
  ];
  return edges
    .slice(1)
    .map((end, index) => text.slice(edges[index], end))
    .filter((piece) => piece !== '');
}

t.test('a well-formed response is read as it was written, in any pieces', async (t) => {
  fc.assert(
    fc.property(response, cuts, (written, shares) => {
      for (const pieces of [[written.text], [...written.text], cut(written.text, shares)]) {
        const { interim, head, body, trailers, problem } = readResponse(pieces);
        t.strictSame(
          [interim.length, head?.fields, body, trailers, problem],
          [written.interim, flat(written.fields), written.body, flat(written.trailers), ''],
        );
        if (!t.passing()) throw new Error('read otherwise');
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
  t.comment(`seed ${SEED}`);
});

t.test('a response that is changed anywhere is read, or refused, alike in any pieces', async (t) => {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    text: fc.constantFrom('', '\r', '\n', '\r\n', '\0', ' ', ':', ';', '0', 'g'),
  });
  fc.assert(
    fc.property(response, change, cuts, ({ text }, { at, text: inserted }, shares) => {
      const index = Math.floor(at * text.length);
      const changed = `${text.slice(0, index)}${inserted}${text.slice(index + 1)}`;
      // Whether surplus comes together with the end depends on the pieces.
      const read = (pieces: readonly string[]) => {
        const { problem, ...reading } = readResponse(pieces, { closes: true });
        return { ...reading, keepsAlive: null, isRefused: problem !== '' };
      };
      const whole = read(changed === '' ? [] : [changed]);
      t.strictSame(read([...changed]), whole);
      t.strictSame(read(cut(changed, shares)), whole);
      if (!t.passing()) throw new Error(`read otherwise: ${JSON.stringify(changed)}`);
    }),
    { seed: SEED, numRuns: 600 },
  );
});
