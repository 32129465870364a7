/** The lines of the access log when several processes write them into one pipe, as workers do. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';

const run = promisify(execFile);
const WRITER = fileURLToPath(new URL('access-log-writer.ts', import.meta.url));

const LINES = 2_000;
/** What a pipe takes in one piece (POSIX: PIPE_BUF). */
const LONGEST_LINE_BYTES = 4_096;

/**
 * The lines of writers that all write into the same pipe at the same time. The shell makes it: Node gives its
 * children sockets, in which pieces do not mix.
 */
async function linesOf(writers: readonly string[], end: string, reader = 'cat'): Promise<string[]> {
  const script = `n=$1 f=$2 c=$3 e=$4; shift 4; (for w in "$@"; do "$n" "$f" "$w" "$c" "$e" & done; wait) | ${reader}`;
  const { stdout } = await run(
    'sh',
    ['-c', script, 'sh', process.execPath, WRITER, String(LINES), end, ...writers],
    { maxBuffer: 100_000_000, timeout: 60_000 },
  );
  t.equal(stdout.at(-1), '\n', 'the last line is whole, too');
  return stdout.slice(0, -1).split('\n');
}

/** Checks that each writer's lines are all there, each of them whole, and in order. */
function check(t: Test, lines: readonly string[], writers: readonly string[]): void {
  const broken: string[] = [];
  const found = new Map<string, string[]>(writers.map((writer) => [writer, []]));
  for (const line of lines) {
    try {
      const { worker, requestId, msg } = JSON.parse(line);
      if (msg === 'request') found.get(worker)?.push(requestId);
    } catch {
      broken.push(line.slice(0, 200));
    }
  }
  t.same(broken, []);
  for (const [writer, ids] of found)
    t.same(
      ids,
      Array.from({ length: LINES }, (_, index) => `${writer}-${index}`),
    );
  const longest = Math.max(...lines.map((line) => Buffer.byteLength(line) + 1));
  t.ok(longest <= LONGEST_LINE_BYTES, `the longest line has ${longest} bytes`);
}

const WRITERS = ['a', 'b', 'c'];

for (const end of ['exit', 'by itself']) {
  t.test(`a process that ends ${end}: all its lines are out, and none is mixed with others`, async (t) => {
    check(t, await linesOf(WRITERS, end), WRITERS);
  });
}

t.test('so it is where the reader is slow, and the pipe is full', async (t) => {
  check(t, await linesOf(WRITERS, 'exit', 'dd ibs=16 obs=65536 status=none'), WRITERS);
});
