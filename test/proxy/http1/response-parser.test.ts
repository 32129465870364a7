/** Responses one after another over one connection: interim ones, limits, surplus, ends, and giving up. */
import t from 'tap';
import { MessageError } from '../../../lib/proxy/http1/message-error.ts';
import { ResponseParser, type ResponseSink } from '../../../lib/proxy/http1/response-parser.ts';
import { readResponse } from '../../helpers/response-recorder.ts';
import { CHUNKED, EMPTY, OK, problemOf, read } from './expectations.ts';

type Event = readonly [name: 'interim' | 'head' | 'body' | 'complete', detail: number | string];

/** Notes what it is told, and does something about it. */
class Listener implements ResponseSink {
  readonly events: Event[] = [];
  readonly parser: ResponseParser = new ResponseParser(this);
  readonly #react: (event: Event, parser: ResponseParser) => void;

  constructor(react: (event: Event, parser: ResponseParser) => void = () => {}) {
    this.#react = react;
  }

  onInterim(status: number): void {
    this.#note('interim', status);
  }

  onHead(status: number): void {
    this.#note('head', status);
  }

  onBody(bytes: Buffer): void {
    this.#note('body', bytes.toString('latin1'));
  }

  onComplete(trailers: string[]): void {
    this.#note('complete', trailers.join());
  }

  #note(...event: Event): void {
    this.events.push(event);
    this.#react(event, this.parser);
  }
}

const bytes = (text: string) => Buffer.from(text, 'latin1');
const NOT_ASKED_FOR = new MessageError('bytes that no request asked for');

t.test('one response after another, each to its own request', async (t) => {
  const { parser, events } = new Listener();
  const exchanges = [
    ['GET', `${OK}Content-Length: 2\r\n\r\nab`],
    ['HEAD', `${OK}Content-Length: 2\r\n\r\n`],
    ['POST', `${OK}${CHUNKED}1\r\nc\r\n0\r\nX: y\r\n\r\n`],
    ['GET', `HTTP/1.1 204 No Content\r\n\r\n`],
    ['GET', `${OK}${CHUNKED}0\r\n\r\n`],
  ] as const;
  for (const [method, response] of exchanges) {
    parser.begin(method);
    t.equal(parser.hasBegun, false);
    parser.read(bytes(response));
    t.same([parser.hasBegun, parser.keepsAlive], [true, true]);
  }
  const expected = [
    ['head', 200],
    ['body', 'ab'],
    ['complete', ''],
    ['head', 200],
    ['complete', ''],
    ['head', 200],
    ['body', 'c'],
    ['complete', 'X,y'],
    ['head', 204],
    ['complete', ''],
    ['head', 200],
    ['complete', ''],
  ];
  t.same(events, expected);
});

t.test('what one response says of the connection does not count for the next', async (t) => {
  const { parser } = new Listener();
  parser.begin('GET');
  parser.read(bytes(`${OK}Keep-Alive: timeout=5\r\n${EMPTY}`));
  t.equal(parser.keepAliveSeconds, 5);
  parser.begin('GET');
  parser.read(bytes(`${OK}${EMPTY}`));
  t.equal(parser.keepAliveSeconds, -1);
});

t.test('interim responses are told, and have no body', async (t) => {
  const interim =
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.0 100\r\n\r\nHTTP/1.1 199 A\r\nContent-Length: 0\r\n\r\n';
  t.match(read(`${interim}${OK}Content-Length: 1\r\n\r\na`), {
    interim: [{ status: 103, fields: ['Link', '</a>'] }, { status: 100 }, { status: 199 }],
    head: { status: 200 },
    body: 'a',
    keepsAlive: true,
  });
});

t.test('an interim response that declares a body is refused', async (t) => {
  for (const field of ['Content-Length: 5', 'Transfer-Encoding: chunked'])
    t.equal(
      problemOf(`HTTP/1.1 103 Early Hints\r\n${field}\r\n\r\n${OK}${EMPTY}`),
      'an interim response that declares a body',
    );
});

t.test('101 is refused: nobody asked for it', async (t) => {
  for (const fields of ['', 'Upgrade: websocket\r\nConnection: Upgrade\r\n'])
    t.equal(problemOf(`HTTP/1.1 101 A\r\n${fields}\r\n${OK}${EMPTY}`), '101 that no request asked for');
});

t.test('1,000 interim responses are read, one more is too many, for each request anew', async (t) => {
  const interim = (count: number) => 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(count);
  t.equal(problemOf(`${interim(1_001)}${OK}${EMPTY}`), 'more than 1000 interim responses');
  const { parser, events } = new Listener();
  for (let exchange = 0; exchange < 2; exchange += 1) {
    parser.begin('GET');
    parser.read(bytes(`${interim(1_000)}${OK}${EMPTY}`));
  }
  t.equal(events.length, 2 * (1_000 + 2));
});

t.test('a head has up to 64 KiB, in however many pieces it comes', async (t) => {
  const headOf = (length: number) => `${OK}X: ${'a'.repeat(length - OK.length - 3)}\r\n\r\n`;
  const piecesOf = (text: string, length: number) =>
    Array.from({ length: Math.ceil(text.length / length) }, (_, index) =>
      text.slice(index * length, (index + 1) * length),
    );
  const tooLong = 'the head is longer than 65536 bytes';
  for (const pieceLength of [1_000_000, 65_537, 65_539, 7_000, 100]) {
    const read = (length: number) => readResponse(piecesOf(headOf(length), pieceLength), { method: 'HEAD' });
    t.match(read(65_536), { trailers: [], problem: '' });
    t.match(read(65_537), { head: null, problem: tooLong });
  }
  t.equal(problemOf(`${OK}X: ${'a'.repeat(70_000)}`), tooLong, 'without waiting for its end');
});

t.test('CR or LF alone is refused without waiting for the end of the head', async (t) => {
  for (const beginning of ['HTTP/1.1 200 OK\n', `${OK}X: a\n`, `${OK}X: a\rY`, `\n`])
    for (const pieces of [[beginning], [...beginning]])
      t.equal(readResponse(pieces).problem, 'CR or LF alone in the head', JSON.stringify(pieces));
});

t.test('a piece may end behind any byte of a line end', async (t) => {
  const response = `${OK}X: a\r\nContent-Length: 1\r\n\r\nb`;
  for (let at = 1; at < response.length; at += 1)
    t.match(
      readResponse([response.slice(0, at), response.slice(at)]),
      { head: { fields: ['X', 'a', 'Content-Length', '1'] }, body: 'b', keepsAlive: true, problem: '' },
      JSON.stringify(response.slice(0, at)),
    );
});

const WHOLE: readonly (readonly [method: string, response: string])[] = [
  ['GET', `${OK}${EMPTY}`],
  ['GET', `${OK}Content-Length: 1\r\n\r\na`],
  ['GET', `${OK}${CHUNKED}1\r\na\r\n0\r\n\r\n`],
  ['GET', `${OK}${CHUNKED}0\r\nX: y\r\n\r\n`],
  ['HEAD', `${OK}Content-Length: 1\r\n\r\n`],
  ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ['GET', 'HTTP/1.1 304 Not Modified\r\n\r\n'],
];

t.test('surplus with a response leaves it whole, but costs the connection', async (t) => {
  for (const surplus of ['\r\n', 'x', '\0', `${OK}${EMPTY}`, 'HTTP/1.1 103 A\r\n\r\n'])
    for (const [method, response] of WHOLE) {
      const reading = readResponse([`${response}${surplus}`], { method });
      t.same(reading, { ...readResponse([response], { method }), keepsAlive: false });
      t.match(reading, { trailers: [], problem: '' });
    }
});

t.test('surplus is never the answer to the next request, though that begins at once', async (t) => {
  for (const [method, response] of WHOLE) {
    const seen: boolean[] = [];
    const { parser, events } = new Listener(([name], parser) => {
      if (name !== 'complete') return;
      seen.push(parser.keepsAlive);
      parser.begin('GET');
    });
    parser.begin(method);
    parser.read(bytes(`${response}HTTP/1.1 418 Smuggled\r\n${EMPTY}`));
    t.same(seen, [false], 'known before the end is told');
    t.same(events.filter(([name]) => name === 'head').length, 1);
    t.equal(parser.hasBegun, false);
    t.equal(parser.end(), false, 'the next response has not come');
  }
});

t.test('surplus behind a response is refused while no request is under way', async (t) => {
  const { parser, events } = new Listener();
  t.throws(() => parser.read(bytes('x')), NOT_ASKED_FOR);
  parser.begin('GET');
  parser.read(bytes(`${OK}${EMPTY}`));
  t.throws(() => parser.read(bytes(`${OK}${EMPTY}`)), NOT_ASKED_FOR);
  t.same(events, [
    ['head', 200],
    ['complete', ''],
  ]);
});

t.test('the next request may begin within the end of a response', async (t) => {
  let isFirst = true;
  const { parser, events } = new Listener(([name], parser) => {
    if (name === 'complete' && isFirst) parser.begin('GET');
    if (name === 'complete') isFirst = false;
  });
  parser.begin('GET');
  parser.read(bytes(`${OK}${CHUNKED}0\r\nX: y\r\n\r\n`));
  parser.read(bytes(`${OK}${EMPTY}`));
  t.same(events, [
    ['head', 200],
    ['complete', 'X,y'],
    ['head', 200],
    ['complete', ''],
  ]);
});

t.test('the end of the connection is the end of a response only where nothing else is', async (t) => {
  const ends: readonly (readonly [received: string, isWhole: boolean, body: string])[] = [
    ['', false, ''],
    ['HTTP/1.1 2', false, ''],
    [`${OK}X: a\r\n`, false, ''],
    ['HTTP/1.1 103 A\r\n\r\n', false, ''],
    [`${OK}Content-Length: 2\r\n\r\n`, false, ''],
    [`${OK}Content-Length: 2\r\n\r\na`, false, 'a'],
    [`${OK}${CHUNKED}`, false, ''],
    [`${OK}${CHUNKED}2\r\na`, false, 'a'],
    [`${OK}${CHUNKED}1\r\na\r\n`, false, 'a'],
    [`${OK}${CHUNKED}0\r\n`, false, ''],
    [`${OK}${CHUNKED}0\r\nX: a\r\n`, false, ''],
    [`${OK}\r\n`, true, ''],
    [`${OK}\r\na`, true, 'a'],
    [`${OK}Content-Length: 1\r\n\r\na`, true, 'a'],
  ];
  for (const [received, isWhole, body] of ends) {
    const reading = readResponse(received === '' ? [] : [received], { closes: true });
    t.same([reading.problem, reading.body], [isWhole ? '' : 'broken off', body], JSON.stringify(received));
    t.equal(reading.trailers !== null, isWhole);
  }
});

t.test('the end of the connection is all right while no request is under way', async (t) => {
  const { parser, events } = new Listener();
  t.equal(parser.end(), true);
  parser.begin('GET');
  parser.read(bytes(`${OK}${EMPTY}`));
  t.equal(parser.end(), true);
  t.equal(events.length, 2, 'nothing is told twice');
});

const GIVEN_UP: Record<string, string> = {
  length: `HTTP/1.1 103 A\r\n\r\n${OK}Content-Length: 4\r\n\r\nbody`,
  'no length': `HTTP/1.1 103 A\r\n\r\n${OK}\r\nbody`,
  'no body': `HTTP/1.1 103 A\r\n\r\n${OK}${EMPTY}`,
  chunks: `HTTP/1.1 103 A\r\n\r\n${OK}${CHUNKED}2\r\nbo\r\n2\r\ndy\r\n0\r\nX: y\r\n\r\n`,
  // What would be refused is not even looked at any more.
  'broken chunks': `HTTP/1.1 103 A\r\n\r\n${OK}${CHUNKED}2\r\nbo\r\nZ`,
};

t.test('who gives up hears nothing more, in whatever call it does', async (t) => {
  for (const [name, response] of Object.entries(GIVEN_UP))
    for (const moment of ['interim', 'head', 'body', 'complete'] as const) {
      const { parser, events } = new Listener(([event], parser) => {
        if (event === moment) parser.abandon();
      });
      parser.begin('GET');
      if (name === 'broken chunks' && moment === 'complete') continue;
      parser.read(bytes(response));
      parser.end();
      const heard = events.map(([event]) => event);
      t.equal(
        heard.indexOf(moment),
        moment === 'complete' || heard.includes(moment) ? heard.length - 1 : -1,
        `${name}, ${moment}`,
      );
      t.throws(() => parser.read(bytes('more')), NOT_ASKED_FOR);
    }
});

t.test('who gives up between two pieces leaves nothing of the response behind', async (t) => {
  for (const [name, response] of Object.entries(GIVEN_UP))
    for (let at = 1; at < response.length; at += 1) {
      const { parser, events } = new Listener();
      parser.begin('GET');
      parser.read(bytes(response.slice(0, at)));
      parser.abandon();
      t.ok(parser.end());
      const heardBefore = events.length;
      parser.begin('GET');
      parser.read(bytes(`${OK}${EMPTY}`));
      t.same(
        events.slice(heardBefore),
        [
          ['head', 200],
          ['complete', ''],
        ],
        `${name}, ${at}`,
      );
    }
});

t.test('much is expected while most of a large body is to come, or nobody knows how much', async (t) => {
  const { parser } = new Listener();
  const expects = (text: string) => {
    parser.abandon();
    parser.begin('GET');
    parser.read(bytes(text));
    return parser.expectsMuch;
  };
  t.equal(expects('HTTP'), false);
  t.equal(expects(`${OK}${EMPTY}`), false);
  t.equal(expects(`${OK}Content-Length: 16383\r\n\r\n`), false);
  t.equal(expects(`${OK}Content-Length: 16384\r\n\r\n`), true);
  t.equal(expects(`${OK}Content-Length: 16384\r\n\r\na`), false);
  t.equal(expects(`${OK}${CHUNKED}`), true);
  t.equal(expects(`${OK}${CHUNKED}0\r\n\r\n`), false);
  t.equal(expects(`${OK}\r\n`), true);
});

t.test('the bytes of a body are handed on without being copied', async (t) => {
  const response = bytes(`${OK}Content-Length: 4\r\n\r\nbody`);
  const seen: Buffer[] = [];
  const sink: ResponseSink = {
    onInterim() {},
    onHead() {},
    onComplete() {},
    onBody: (body) => void seen.push(body),
  };
  const parser = new ResponseParser(sink);
  parser.begin('GET');
  parser.read(response);
  t.equal(seen[0]?.buffer, response.buffer);
});
