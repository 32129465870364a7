/** The suite itself: that it can fail, that its readings see what they should, and that the page shows all of it. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { startTcpRelay } from '../helpers/tcp-relay.ts';
import { LENGTH_AND_CODING } from './cases/length-and-coding.ts';
import { PLAIN } from './cases/plain.ts';
import { CASES } from './families.ts';
import { HABITS, readLeniently } from './lenient-reading.ts';
import { listCaseIds, renderPage } from './page.ts';
import { runSuite } from './run-suite.ts';
import { readStrictly } from './strict-reading.ts';
import type { SubjectKind } from './subject.ts';
import { CHUNKED, get, LAST_CHUNK, post, SMUGGLED } from './wire-text.ts';

t.test('every id stands for one case, and every case says what is required', async (t) => {
  const ids = CASES.map(({ id }) => id);
  t.same([...new Set(ids)], ids);
  for (const { id, title, source, expects } of CASES) {
    t.match(id, /^[a-z0-9.-]+$/);
    t.ok(title !== '' && source !== '' && expects.length > 0, id);
  }
});

t.test('docs/conformance.md lists the cases of the suite: else run test/conformance/report.ts', async (t) => {
  const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
  t.same(
    listCaseIds(page),
    CASES.map(({ id }) => id),
  );
});

t.test('a page says what passes, what differs, what is unsafe, and what could not be run', async (t) => {
  const [first, second, third] = PLAIN.cases;
  const verdicts = new Map([
    [first!.id, { passes: true, isSafe: true, happened: '' }],
    [second!.id, { passes: false, isSafe: true, happened: '200; a|b' }],
    [third!.id, { passes: false, isSafe: false, happened: '<x>' }],
  ]);
  const columns = [
    { name: 'One', version: '1.2', verdicts },
    { name: 'Other', version: null, verdicts: new Map() },
  ];
  const page = renderPage([{ title: 'Some', cases: [first!, second!, third!] }], columns);
  t.match(page, '| One 1.2 | 1 | 2 | 1 |');
  t.match(page, '| Other | not installed |');
  t.match(page, '| differs: 200; a\\|b | not installed |');
  t.match(page, '| differs, unsafe: \\<x\\> | not installed |');
  t.same(listCaseIds(page), [first!.id, second!.id, third!.id]);
});

/** Passes on every byte, so every hidden request arrives. */
const RELAY: SubjectKind = {
  name: 'a relay of bytes',
  findVersion: () => '',
  start: async (owner, originPort) => {
    const relay = await startTcpRelay(owner, originPort);
    return { port: relay.port, troubles: () => [] };
  },
};

t.test('what passes bytes on unread does what must work, and fails every case of framing', async (t) => {
  // What is hidden is at the origin at once; a relay never closes what it should.
  const hostile = LENGTH_AND_CODING.cases.map((each) => ({ ...each, limitMs: 200 }));
  const verdicts = await runSuite(RELAY, [...PLAIN.cases, ...hostile], t);
  for (const { id } of PLAIN.cases) t.ok(verdicts.get(id)?.passes, `${id}: ${verdicts.get(id)?.happened}`);
  for (const { id } of LENGTH_AND_CODING.cases) t.notOk(verdicts.get(id)?.passes, id);
  t.notOk(verdicts.get('te-cl')?.isSafe);
  t.notOk(verdicts.get('cl-te')?.isSafe);
});

const linesOf = (bytes: string) =>
  HABITS.map((habit) => readLeniently(bytes, habit).map(({ line, isComplete }) => [line, isComplete]));

t.test('all readings agree on what is well-formed', async (t) => {
  const text =
    get() + post('Content-Length: 4\r\n', 'body') + post(CHUNKED, `3;x=y\r\none\r\n0\r\nX-A: b\r\n\r\n`);
  const expected = ['GET /public/x HTTP/1.1', 'POST /public/x HTTP/1.1', 'POST /public/x HTTP/1.1'];
  for (const lines of linesOf(text))
    t.same(
      lines,
      expected.map((line) => [line, true]),
    );
  const { requests, problem } = readStrictly(Buffer.from(text));
  t.equal(problem, null);
  t.same(
    requests.map(({ message }) => message.startLine),
    expected,
  );
  t.same(
    requests.map(({ message }) => message.text),
    ['', 'body', 'one'],
  );
});

t.test('a body that is not whole is the end in every reading', async (t) => {
  for (const text of [
    post('Content-Length: 9\r\n', 'body'),
    post(CHUNKED, '9\r\nbody'),
    post(CHUNKED, '0\r\n'),
  ]) {
    for (const lines of linesOf(text)) t.same(lines, [['POST /public/x HTTP/1.1', false]], text);
    t.same(
      readStrictly(Buffer.from(text)).requests.map(({ isComplete }) => isComplete),
      [false],
    );
  }
});

for (const [habit, text] of [
  [
    'takes what looks like chunked for chunked',
    post('Transfer-Encoding: xchunked\r\nContent-Length: 48\r\n', LAST_CHUNK + SMUGGLED),
  ],
  ['prefers Content-Length', post(`Content-Length: 0\r\n${CHUNKED}`, SMUGGLED)],
  ['takes the last of several lengths', post('Content-Length: 43\r\nContent-Length: 0\r\n', SMUGGLED)],
  ['ends lines at CR', `${get('X-A: b\r\r')}${SMUGGLED}`],
  ['needs CR LF after the size of a chunk', post(CHUNKED, `2;\nxx\r\nyy\r\n${LAST_CHUNK}`) + SMUGGLED],
  ['ignores unknown codings', post('Transfer-Encoding: xchunked\r\n', SMUGGLED)],
  [
    'unfolds lines',
    post('X-A: b\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 48\r\n', LAST_CHUNK + SMUGGLED),
  ],
] as const) {
  t.test(`the reading that ${habit} sees what is hidden from others`, async (t) => {
    const found = HABITS.filter((each) =>
      readLeniently(text, each).some(({ target }) => target === '/smuggled'),
    ).map(({ name }) => name);
    t.ok(found.includes(habit), `seen by: ${found.join(', ')}`);
    t.ok(found.length < HABITS.length, 'and not by all');
  });
}
