/** The readers that fuzzing measures the gateway by: they are worth nothing if they cannot tell things apart. */
import t from 'tap';
import { measureLeniently } from './lenient-reader.ts';
import { cutIntoPieces, type Mutation, mutate, showBytes } from './mutations.ts';
import { readStrictly } from './reference-reader.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (fields: string, body: string) => bytes(`POST /a HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`);
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

/** How the reading ends, and the targets of what was read, in brackets where it is not whole. */
function summaryOf(input: Buffer): readonly [end: string, ...targets: (string | null)[]] {
  const { end, requests } = readStrictly(input);
  return [end, ...requests.map(({ isWhole, target }) => (isWhole ? target : `(${target})`))];
}

t.test('the strict reader finds pipelined requests, and nothing behind a fault', async (t) => {
  t.same(summaryOf(bytes(GET + GET)), ['end of bytes', '/a', '/a']);
  t.same(summaryOf(bytes(`\r\n${GET}GET /`)), ['cut off', '/a']);
  t.same(summaryOf(post('Content-Length: 28\r\n', GET + GET)), ['end of bytes', '/a', '/a']);
  t.same(summaryOf(post('Content-Length: 99\r\n', GET)), ['cut off', '(/a)']);
  t.same(summaryOf(post(CHUNKED, `3;a="b"\r\nabc\r\n0\r\nX: a\r\n\r\n${GET}`)), ['end of bytes', '/a', '/a']);
  t.same(summaryOf(post(CHUNKED, `3\r\nabcd\r\n0\r\n\r\n${GET}`)), ['malformed', '(/a)']);
  t.same(summaryOf(post(CHUNKED, `3;\nabc\r\n0\r\n\r\n${GET}`)), ['malformed', '(/a)']);
  t.same(summaryOf(post(`Content-Length: 5\r\n${CHUNKED}`, `0\r\n\r\n${GET}`)), ['malformed']);
  t.same(summaryOf(bytes(`GET /a HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n${GET}`)), ['malformed']);
  t.same(summaryOf(bytes(`GET /a HTTP/1.1\nHost: a\n\n${GET}`)), ['malformed']);
  t.same(summaryOf(bytes(`GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET}`)), ['last', '/a']);
  t.same(summaryOf(bytes(`GET /a HTTP/1.0\r\nHost: a\r\n\r\n${GET}`)), ['last', '/a']);
  t.same(summaryOf(bytes(`GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n${GET}`)), ['end of bytes', null, '/a']);
});

t.test('behind a request for a WebSocket there is a tunnel, behind one for h2c there is not', async (t) => {
  const upgrade = (protocol: string) =>
    bytes(`GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n${GET}`);
  const { end, tunnelled } = readStrictly(upgrade('websocket'));
  t.same([end, tunnelled.toString()], ['tunnel', GET]);
  t.same(summaryOf(upgrade('h2c')), ['end of bytes', '/a', '/a']);
});

t.test('the lenient reader reads on where a strict one would not', async (t) => {
  const whole = (input: Buffer) => measureLeniently(input) === input.length;
  t.ok(whole(bytes(GET)));
  t.ok(whole(post('Content-Length: 3\r\n', 'abc')));
  t.ok(whole(post(CHUNKED, '3;a\r\nabc\r\n0\r\nX: a\r\n\r\n')));
  t.notOk(whole(bytes(GET + GET)));
  t.notOk(whole(post('Content_Length: 5\r\n', '')));
  t.notOk(whole(post(`Content-Length: 5\r\nTransfer-Encoding : xchunked\r\n`, 'abcde')));
  t.notOk(whole(post('X: a\n\nGET / HTTP/1.1\r\n', '')));
});

t.test('mutations change what they say and nothing else', async (t) => {
  const mutation: Mutation = {
    kind: 'insert',
    at: 5_000,
    anchor: 'anywhere',
    shift: 0,
    length: 1,
    bit: 0,
    text: 'X',
  };
  const change = (changes: Partial<Mutation>) =>
    mutate(bytes('ab\r\nc'), [{ ...mutation, ...changes }]).toString();
  t.equal(change({}), 'abX\r\nc');
  t.equal(change({ anchor: 'line end' }), 'ab\r\nXc');
  t.equal(change({ kind: 'delete', length: 2 }), 'abc');
  t.equal(change({ kind: 'duplicate', at: 0, length: 2 }), 'abab\r\nc');
  t.equal(
    mutate(bytes('a\r\nb\r\nc'), [{ ...mutation, kind: 'duplicate line', at: 0 }]).toString(),
    'a\r\nb\r\nb\r\nc',
  );
  t.equal(change({ kind: 'move', at: 0, length: 1 }), 'b\r\nca');
  t.equal(change({ kind: 'flip', at: 0, bit: 5 }), 'Ab\r\nc');
  t.equal(change({ kind: 'cut' }), 'ab');
  t.same(cutIntoPieces(bytes('abcd'), [5_000, 2_500, 0]).map(String), ['a', 'b', 'cd']);
  t.equal(showBytes(bytes("a'\r\n\t\0\xff")), "'a\\'\\r\\n\\t\\x00\\xff'");
});
