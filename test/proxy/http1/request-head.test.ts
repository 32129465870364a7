/** Heads of requests: nothing that is put in can end a line, or come out as something else. */
import fc from 'fast-check';
import t from 'tap';
import { buildRequestHead, buildTrailerSection, framingOf } from '../../../lib/proxy/http1/request-head.ts';
import type { BodySource, UpstreamRequest } from '../../../lib/proxy/upstream.ts';

const SEED = 20_261_123;
const BODY: BodySource = { isHere: false, open() {}, pull() {}, detach() {} };

function requestOf(changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: 'GET',
    target: '/a?b',
    host: 'origin.example:8080',
    headers: [],
    body: null,
    expectContinue: false,
    trailers: null,
    freshConnection: false,
    mayRepeat: true,
    ...changes,
  };
}

const headOf = (changes: Partial<UpstreamRequest> = {}) => {
  const request = requestOf(changes);
  return buildRequestHead(request, framingOf(request));
};

interface ReadHead {
  readonly requestLine: readonly string[];
  readonly fields: readonly string[];
}

/** Reads it as the strictest and the most lenient origin would: where they could differ, it throws. */
function readHead(head: string): ReadHead {
  if (!head.endsWith('\r\n\r\n') || /\r(?!\n)|(?<!\r)\n|\0/.test(head))
    throw new Error('a line that does not end as lines do');
  const [requestLine = '', ...lines] = head.slice(0, -4).split('\r\n');
  const parts = requestLine.split(' ');
  if (parts.length !== 3 || parts.includes('')) throw new Error(`request line ${requestLine}`);
  const fields = lines.flatMap((line) => {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
    if (match === null) throw new Error(`field line ${line}`);
    return [match[1]!, match[2]!];
  });
  return { requestLine: parts, fields };
}

t.test('a head without a body', async (t) => {
  t.equal(
    headOf({ headers: ['Accept', '*/*', 'x-empty', ''] }),
    'GET /a?b HTTP/1.1\r\nhost: origin.example:8080\r\nAccept: */*\r\nx-empty: \r\nconnection: keep-alive\r\n\r\n',
  );
});

t.test('a body is framed by its length, or by chunks', async (t) => {
  t.equal(framingOf(requestOf()), 'none');
  t.equal(framingOf(requestOf({ body: BODY })), 'chunked');
  for (const name of ['content-length', 'Content-Length'])
    t.equal(framingOf(requestOf({ body: BODY, headers: ['a', 'b', name, '5'] })), 'length');
  t.equal(
    framingOf(requestOf({ body: BODY, headers: ['content-lengt', '5', 'a', 'content-length'] })),
    'chunked',
  );
  const count = (head: string) => head.split('transfer-encoding: chunked\r\n').length - 1;
  t.equal(count(headOf({ body: BODY })), 1);
  t.equal(count(headOf({ body: BODY, headers: ['Content-Length', '5'] })), 0);
  t.equal(count(headOf()), 0);
});

t.test('a length is written as everybody writes it', async (t) => {
  const lengthOf = (...values: string[]) => {
    const headers = ['A', 'b', ...values.flatMap((value) => ['Content-Length', value]), 'C', 'd'];
    const { fields } = readHead(headOf({ body: BODY, headers }));
    t.equal(headers[3], values[0], 'the request is left as it is');
    return fields[fields.indexOf('Content-Length') + 1];
  };
  t.equal(lengthOf('0'), '0');
  t.equal(lengthOf('17'), '17');
  t.equal(lengthOf('00000000000000000007'), '7');
  t.equal(lengthOf('000'), '0');
  t.equal(lengthOf('9007199254740991'), '9007199254740991');
  for (const value of ['', ' 5', '5 ', '+5', '-5', '5, 5', '0x5', '5e0', '9007199254740992'])
    t.throws(() => lengthOf(value), { code: 'ERR_INVALID_CHAR' }, JSON.stringify(value));
  t.throws(() => lengthOf('5', '5'), { code: 'ERR_INVALID_CHAR' });
  t.throws(() => headOf({ headers: ['content-length', '5', 'CONTENT-LENGTH', '6'] }));
});

t.test('an origin is asked before the body is sent where that is wanted', async (t) => {
  t.match(headOf({ body: BODY, expectContinue: true }), '\r\nexpect: 100-continue\r\n');
  t.notMatch(headOf({ body: BODY }), /expect/);
});

/** For names of tests, which are lines themselves. */
function hexOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('hex');
}

const LINE_ENDS = ['\r\n', '\r', '\n', '\0', '\r\nX: y', '\n\n', '\u010d\u010a', '\u560d\u560a'];

t.test('what ends a line, or would in another coding, is refused wherever it stands', async (t) => {
  for (const text of [...LINE_ENDS, '\x01', '\x0b', '\x7f', '\u0100', '\u2028', '\ud83d\ude00'])
    for (const around of [
      ['a', 'b'],
      ['a', ''],
      ['', 'b'],
      ['', ''],
    ]) {
      const bad = around.join(text);
      const places: Partial<UpstreamRequest>[] = [
        { method: bad },
        { target: `/${bad}` },
        { host: bad },
        { headers: [bad, 'a'] },
        { headers: ['a', bad] },
      ];
      for (const place of places)
        t.throws(() => headOf(place), { code: 'ERR_INVALID_CHAR' }, `${Object.keys(place)}: ${hexOf(bad)}`);
      t.throws(() => buildTrailerSection([bad, 'a']), { code: 'ERR_INVALID_CHAR' });
      t.throws(() => buildTrailerSection(['a', bad]), { code: 'ERR_INVALID_CHAR' });
    }
});

t.test('what would be read as something else is refused', async (t) => {
  for (const method of ['', ' ', 'GET /', 'G\tT', 'G:T'])
    t.throws(() => headOf({ method }), JSON.stringify(method));
  for (const target of ['', ' ', '/a b', '/a\tb', '/ HTTP/1.1'])
    t.throws(() => headOf({ target }), JSON.stringify(target));
  for (const name of ['', ' ', 'a ', ' a', 'a b', 'a:', ':', 'a\t', '\xe4'])
    t.throws(() => headOf({ headers: [name, 'a'] }), JSON.stringify(name));
});

t.test('a name that was refused once stays refused, one that was taken stays taken', async (t) => {
  for (let time = 0; time < 2; time += 1) {
    t.throws(() => headOf({ headers: ['bad name', 'a'] }));
    t.doesNotThrow(() => headOf({ headers: ['good-name', 'a'] }));
  }
});

/** Harmless mostly, so that whole heads come about. */
const text = (alphabet: string) =>
  fc.oneof(
    { weight: 30, arbitrary: fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 12 }) },
    {
      weight: 1,
      arbitrary: fc.string({
        unit: fc.constantFrom(...alphabet, ...LINE_ENDS, ' ', ':', '\t'),
        maxLength: 12,
      }),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  );
const name = text('abcXYZ019-_!~');
const value = text('abc XYZ\t019-_:;,="\x80\xff');
const fields = fc.array(fc.tuple(name, value), { maxLength: 5 }).map((pairs) => pairs.flat());

t.test('a head gives back exactly what was put in, or is not built', async (t) => {
  let builtCount = 0;
  const plan = fc.record({
    method: name,
    target: text('/abc?&=%2F\xe4'),
    host: text('abc.:019'),
    headers: fields,
  });
  fc.assert(
    fc.property(plan, fc.boolean(), (changes, hasBody) => {
      let head: string;
      try {
        head = headOf({ ...changes, body: hasBody ? BODY : null });
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ERR_INVALID_CHAR';
      }
      builtCount += 1;
      const { requestLine, fields } = readHead(head);
      const { method, target, host, headers } = changes;
      const framing = hasBody ? ['transfer-encoding', 'chunked'] : [];
      t.strictSame(requestLine, [method, target, 'HTTP/1.1']);
      t.strictSame(fields, ['host', host, ...headers, ...framing, 'connection', 'keep-alive']);
      t.equal(Buffer.from(head, 'latin1').toString('latin1'), head, 'each character is one byte');
      return t.passing();
    }),
    { seed: SEED, numRuns: 1_000 },
  );
  t.ok(builtCount > 300, `${builtCount} heads were built, seed ${SEED}`);
});

t.test('a trailer section gives back exactly what was put in, or is not built', async (t) => {
  t.equal(buildTrailerSection(null), '\r\n');
  t.equal(buildTrailerSection([]), '\r\n');
  t.equal(buildTrailerSection(['A', 'b', 'c', '']), 'A: b\r\nc: \r\n\r\n');
  fc.assert(
    fc.property(fields, (trailers) => {
      let section: string;
      try {
        section = buildTrailerSection(trailers);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ERR_INVALID_CHAR';
      }
      t.strictSame(readHead(`GET / HTTP/1.1\r\n${section}`).fields, trailers);
      return t.passing();
    }),
    { seed: SEED, numRuns: 500 },
  );
});
