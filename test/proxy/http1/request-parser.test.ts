/** Requests one after another over one connection: pieces, limits, blank lines, pipelines, and what is told. */
import fc from 'fast-check';
import t from 'tap';
import { RequestParser, type RequestSink } from '../../../lib/proxy/http1/request-parser.ts';
import { readRequests } from '../../helpers/request-recorder.ts';
import { CHUNKED, firstOf, GET, HOST, POST, problemOf, summaryOf } from './request-expectations.ts';

const SEED = 20_261_130;
const MAX_HEAD_BYTES = 1_000;

const bytesOf = (text: string) => Buffer.from(text, 'latin1');

/** Hears nothing. */
const DEAF_SINK: RequestSink = { onHead() {}, onBody() {}, onComplete() {} };

t.test('a head is told as it came, with what is found in it', async (t) => {
  const fields = 'hOST: a\r\nX-A:  \t b c \t\r\nx-a:\r\nContent-Length: 2\r\nConnection: close\r\n';
  t.match(firstOf(`PUT /a?b HTTP/1.0\r\n${fields}\r\ncd`), {
    head: {
      method: 'PUT',
      target: '/a?b',
      version: '1.0',
      rawHeaders: ['hOST', 'a', 'X-A', 'b c', 'x-a', '', 'Content-Length', '2', 'Connection', 'close'],
      head: { host: 'a', hostCount: 1, contentLength: 2, saysClose: true },
      isWhole: false,
      isFramed: true,
    },
    body: 'cd',
    trailers: [],
  });
});

t.test('a head needs no field', async (t) => {
  t.match(firstOf('GET / HTTP/1.1\r\n\r\n'), { head: { rawHeaders: [], isWhole: true } });
});

t.test('field lines are read strictly', async (t) => {
  const refused = [
    'X : a',
    ' X: a',
    'X',
    ': a',
    'X: a\0',
    'X: a\x7f',
    'X: a\r\n b',
    'X: a\r\n\tb',
    'X\xe4: a',
    'X: \x0ba',
  ];
  for (const line of refused) t.not(problemOf(`GET / HTTP/1.1\r\n${line}\r\n\r\n`), '', JSON.stringify(line));
  t.equal(problemOf(`GET / HTTP/1.1\r\n${'a:b\r\n'.repeat(2_001)}\r\n`), 'more than 2000 fields');
});

t.test('CR or LF alone is refused, in one piece or without waiting for the end of the head', async (t) => {
  for (const text of [
    'GET / HTTP/1.1\n',
    `GET / HTTP/1.1\r\nX: a\n`,
    'GET / HTTP/1.1\r\nX: a\rY',
    'GET /\n\n',
    'GET /\r\r',
  ])
    for (const pieces of [[text], [...text], [`${text}\r\n\r\n`]])
      t.not(readRequests(pieces).problem, '', JSON.stringify(pieces));
  t.equal(readRequests(['GET / HTTP/1.1\r\nX: a\n']).problem, 'CR or LF alone in the head');
});

t.test('blank lines before a request are none, however many there are and in whatever pieces', async (t) => {
  for (const blank of ['\r\n', '\r\n\r\n', '\n', '\r', '\r\n'.repeat(5_000)])
    for (const pieces of [
      [`${blank}${GET}`],
      [blank, GET],
      [...`${blank}${GET}`],
      [`${blank}G`, GET.slice(1)],
    ])
      t.same(summaryOf(pieces), [['GET', '/', '', []]], JSON.stringify(blank.slice(0, 9)));
  t.same(summaryOf([`${GET}\r\n${POST}Content-Length: 2\r\n\r\n\r\n\r\n\r\n${GET}`]), [
    ['GET', '/', '', []],
    ['POST', '/', '\r\n', []],
    ['GET', '/', '', []],
  ]);
});

t.test('a blank line begins no head, but something has come', async (t) => {
  const parser = new RequestParser(DEAF_SINK, MAX_HEAD_BYTES);
  const states: unknown[] = [];
  for (const text of [
    '\r\n',
    'GE',
    'T / HTTP/1.1\r\n\r\n',
    '\r\n',
    POST,
    'Content-Length: 1\r\n\r\n',
    'a',
    '\r\n',
  ]) {
    parser.read(bytesOf(text), 0);
    states.push([parser.hasRead, parser.isInHead, parser.isInBody]);
  }
  t.same(states, [
    [true, false, false],
    [true, true, false],
    [false, false, false],
    [true, false, false],
    [true, true, false],
    [false, false, true],
    [false, false, false],
    [true, false, false],
  ]);
});

t.test('a head has as many bytes as it may have, and not one more, in whatever pieces', async (t) => {
  const headOf = (length: number) => `GET / HTTP/1.1\r\nX: ${'a'.repeat(length - 19)}\r\n\r\n`;
  const piecesOf = (text: string, length: number) =>
    Array.from({ length: Math.ceil(text.length / length) }, (_, index) =>
      text.slice(index * length, (index + 1) * length),
    );
  const tooLong = `the head is longer than ${MAX_HEAD_BYTES} bytes`;
  for (const before of ['', '\r\n\r\n', GET])
    for (const pieceLength of [10_000, MAX_HEAD_BYTES + 3, MAX_HEAD_BYTES, 100, 7, 1]) {
      const problemOf = (length: number) =>
        readRequests(piecesOf(`${before}${headOf(length)}`, pieceLength), MAX_HEAD_BYTES).problem;
      t.equal(problemOf(MAX_HEAD_BYTES), '', `${before.length}, ${pieceLength}`);
      t.equal(problemOf(MAX_HEAD_BYTES + 1), tooLong, `${before.length}, ${pieceLength}`);
    }
  t.equal(readRequests([headOf(2_000).slice(0, -4)], MAX_HEAD_BYTES).problem, tooLong, 'without its end');
});

t.test('a body of known length ends with its last byte', async (t) => {
  t.same(summaryOf([`${POST}Content-Length: 3\r\n\r\nabc${GET}`]), [
    ['POST', '/', 'abc', []],
    ['GET', '/', '', []],
  ]);
  t.same(summaryOf([`${POST}Content-Length: 3\r\n\r\nab`]), [['POST', '/', 'ab', null]]);
  t.same(summaryOf([`${POST}Content-Length: ${GET.length}\r\n\r\n${GET}`]), [['POST', '/', GET, []]]);
});

t.test('a body in chunks ends with the last chunk and its trailers', async (t) => {
  const body = '3\r\nabc\r\nA;a=b;c="d\\"e" ; f\r\n0123456789\r\n00\r\n';
  t.same(summaryOf([`${POST}${CHUNKED}${body}\r\n${GET}`]), [
    ['POST', '/', 'abc0123456789', []],
    ['GET', '/', '', []],
  ]);
  t.same(summaryOf([`${POST}${CHUNKED}${body}X: y\r\nContent-Length:  5 \r\n\r\n${GET}`]), [
    ['POST', '/', 'abc0123456789', ['X', 'y', 'Content-Length', '5']],
    ['GET', '/', '', []],
  ]);
  t.same(summaryOf([`${POST}${CHUNKED}${body}X: y\r\n`]), [['POST', '/', 'abc0123456789', null]]);
});

t.test('what is wrong with a body is refused, and the request is never whole', async (t) => {
  const bodies = [
    'x\r\n',
    '\r\n',
    ' 1\r\na\r\n',
    '1 \r\na\r\n',
    '+1\r\na\r\n',
    '0x1\r\na\r\n',
    '1\na\r\n',
    '1\rxa\r\n',
    '1\r\nab\r\n',
    '1\r\nax\n',
    '1\r\na\n',
    '1;a="\r\na\r\n',
    '1;\r\na\r\n',
    '1;a=\nb\r\na\r\n',
    '1000000000000\r\n',
    '0\r\nX : a\r\n\r\n',
    '0\r\nX: a\n\r\n',
    '0\n\r\n',
  ];
  for (const body of bodies)
    for (const text of [`${POST}${CHUNKED}${body}0\r\n\r\n${GET}`])
      for (const pieces of [[text], [...text]]) {
        const { problem, requests } = readRequests(pieces);
        t.not(problem, '', JSON.stringify(body));
        t.match(requests, [{ trailers: null }]);
        t.equal(requests.length, 1);
      }
});

t.test('each call reads to the end of one request and no further', async (t) => {
  const told: string[] = [];
  const sink: RequestSink = {
    onHead: ({ target, isWhole }) => void told.push(`${target} ${isWhole}`),
    onBody: (bytes) => void told.push(bytes.toString('latin1')),
    onComplete: (trailers) => void told.push(`end ${trailers}`),
  };
  const requests = [
    GET,
    `${POST}Content-Length: 2\r\n\r\nab`,
    `${POST}${CHUNKED}1\r\nc\r\n0\r\n\r\n`,
    `${POST}${CHUNKED}0\r\nX: y\r\n\r\n`,
  ];
  const parser = new RequestParser(sink, MAX_HEAD_BYTES);
  const bytes = bytesOf(requests.join(''));
  let end = 0;
  for (const text of requests) {
    const before = end;
    end = parser.read(bytes, end);
    t.equal(end - before, text.length, 'what is behind is left');
  }
  t.same(told, ['/ true', '/ false', 'ab', 'end ', '/ false', 'c', 'end ', '/ false', 'end X,y']);
});

t.test('much is expected while most of a large body is to come, or nobody knows how much', async (t) => {
  const expects = (text: string) => {
    const parser = new RequestParser(DEAF_SINK, MAX_HEAD_BYTES);
    parser.read(bytesOf(text), 0);
    return parser.expectsMuch;
  };
  t.equal(expects('POST'), false);
  t.equal(expects(GET), false);
  t.equal(expects(`${POST}Content-Length: 16383\r\n\r\n`), false);
  t.equal(expects(`${POST}Content-Length: 16384\r\n\r\n`), true);
  t.equal(expects(`${POST}Content-Length: 16384\r\n\r\na`), false);
  t.equal(expects(`${POST}${CHUNKED}`), true);
  t.equal(expects(`${POST}${CHUNKED}0\r\n\r\n`), false);
});

t.test('the bytes of a body are handed on without being copied', async (t) => {
  const bytes = bytesOf(`${POST}Content-Length: 4\r\n\r\nbody`);
  const seen: Buffer[] = [];
  new RequestParser({ ...DEAF_SINK, onBody: (body) => void seen.push(body) }, MAX_HEAD_BYTES).read(bytes, 0);
  t.equal(seen[0]?.buffer, bytes.buffer);
});

t.test('what a head says outlives the bytes that it came in', async (t) => {
  const seen: unknown[] = [];
  const parser = new RequestParser({ ...DEAF_SINK, onHead: (head) => void seen.push(head) }, MAX_HEAD_BYTES);
  for (const pieces of [[GET], [GET.slice(0, 20), GET.slice(20)]])
    for (const piece of pieces) {
      const bytes = bytesOf(piece);
      parser.read(bytes, 0);
      bytes.fill('x');
    }
  t.match(seen, Array(2).fill({ method: 'GET', target: '/', rawHeaders: ['Host', 'a'] }));
});

/** All that a client may send, well-formed and not. */
const CONVERSATIONS: Record<string, string> = {
  pipeline: `\r\n${GET}${POST}Content-Length: 3\r\n\r\nabc\r\n${POST}${CHUNKED}2;a="b"\r\nde\r\n0\r\nX: y\r\n\r\n${GET}`,
  'a head without its end': `${GET}GET / HTTP/1.1\r\nHost: a\r\n`,
  'an unknown method': `${GET}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
  'a bad request line': `GET  / HTTP/1.1\r\n${HOST}\r\n${GET}`,
  'a bad field': `GET / HTTP/1.1\r\nHost : a\r\n\r\n${GET}`,
  'LF alone': `GET / HTTP/1.1\nHost: a\n\n${GET}`,
  'a bad chunk': `${POST}${CHUNKED}1\r\nab\r\n0\r\n\r\n${GET}`,
  'a bad trailer': `${POST}${CHUNKED}0\r\nX : y\r\n\r\n${GET}`,
  'no framing': `${POST}Content-Length: 5\r\n${CHUNKED}0\r\n\r\n${GET}`,
};

/** What may not depend on the pieces; which fault is found first may. */
function read(pieces: readonly string[]) {
  const { problem, isInHead, ...reading } = readRequests(pieces);
  const isRefused = problem !== '';
  return { ...reading, isRefused, isInHead: isInHead && !isRefused };
}

t.test('a piece may end behind any byte', async (t) => {
  for (const [name, text] of Object.entries(CONVERSATIONS)) {
    const whole = read([text]);
    for (let at = 1; at < text.length; at += 1)
      t.strictSame(read([text.slice(0, at), text.slice(at)]), whole, `${name}, cut at ${at}`);
    t.strictSame(read([...text]), whole, `${name}, byte by byte`);
  }
});

t.test('bytes that are changed anywhere are read, or refused, alike in any pieces', async (t) => {
  const changed = fc
    .record({
      text: fc.constantFrom(...Object.values(CONVERSATIONS)),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      inserted: fc.constantFrom(
        '',
        '\r',
        '\n',
        '\r\n',
        '\0',
        ' ',
        ':',
        ';',
        '0',
        'g',
        'Transfer-Encoding: a\r\n',
      ),
    })
    .map(({ text, at, inserted }) => {
      const index = Math.floor(at * text.length);
      return `${text.slice(0, index)}${inserted}${text.slice(index + 1)}`;
    });
  const cut = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(changed, cut, (text, share) => {
      const at = Math.floor(share * text.length);
      const whole = read([text]);
      const pieces = [text.slice(0, at), text.slice(at)].filter((piece) => piece !== '');
      t.strictSame(read(pieces), whole);
      t.strictSame(read([...text]), whole);
      if (!t.passing()) throw new Error(`read otherwise: ${JSON.stringify(text)}`);
    }),
    { seed: SEED, numRuns: 600 },
  );
});
