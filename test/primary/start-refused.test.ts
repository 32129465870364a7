/** Starts that cannot work: exit code 1, one clear message, and no process left behind. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { listStartArguments, runGatewayCommand } from '../helpers/gateway-command.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { findServerPort } from '../helpers/server-port.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

const VALID = 'clusters: {}\nroutes: {}\n';
/** Generous, for machines that have a lot else to do. */
const LIMIT_MS = 60_000;

const run = (words: readonly string[]) => runGatewayCommand(words, {}, LIMIT_MS);

interface Start {
  readonly owner: TestOwner;
  readonly config?: string;
  readonly listen?: string;
  readonly admin?: string;
}

/**
 * Runs a gateway that is to refuse its start. The result comes once no process holds its output any more,
 * so a worker that was left behind would make this fail.
 */
async function runToRefusal({ owner, config = VALID, ...addresses }: Start) {
  const directory = await createTemporaryDirectory(owner);
  const file = join(directory, 'gateway.yaml');
  await writeFile(file, config);
  const words = listStartArguments({ workers: 2, ...addresses }, join(directory, 'state'), file);
  const result = await run(words);
  return { ...result, lines: result.stderr.trimEnd().split('\n'), file, directory };
}

async function occupyPort(owner: TestOwner): Promise<number> {
  return (await startOrigin((_, connection) => connection.answer(), { owner })).port;
}

t.test('an invalid file at the first start: one message that names every problem', async (t) => {
  const { code, stderr, stdout } = await runToRefusal({
    owner: t,
    config: `
clusters:
  a: { destinations: { one: { url: "gopher://a" } } }
routes:
  no-slash: { match: { path: "orders" }, cluster: a }
  lost: { match: { path: "/lost" }, cluster: nowhere }
`,
  });
  t.equal(code, 1);
  for (const pointer of [
    '/clusters/a/destinations/one/url',
    '/routes/no-slash/match/path',
    '/routes/lost/cluster',
  ]) {
    t.match(stderr, `  ${pointer}: `);
  }
  t.equal(stderr.split('fengling-gateway: ').length - 1, 1, 'one message');
  t.notMatch(stderr, /\n {4}at /, 'no stack trace');
  t.notMatch(stdout, 'worker serves');
});

t.test('a file that is not there: the message names its path', async (t) => {
  const directory = await createTemporaryDirectory(t);
  const file = join(directory, 'missing.yaml');
  const { code, stderr } = await run(listStartArguments({}, join(directory, 'state'), file));
  t.equal(code, 1);
  t.match(stderr, file);
  t.match(stderr, /no such file/i);
});

t.test('a port that is taken', async (t) => {
  for (const flag of ['listen', 'admin'] as const) {
    const port = await occupyPort(t);
    const { code, lines } = await runToRefusal({ owner: t, [flag]: `127.0.0.1:${port}` });
    t.equal(code, 1);
    t.same(lines.length, 1, 'one line');
    t.match(lines[0], `127.0.0.1:${port}`);
    t.match(lines[0], 'EADDRINUSE');
    t.match(lines[0], `--${flag}`);
  }
});

t.test('one port for clients and for probes', async (t) => {
  const port = await findServerPort();
  const { code, lines } = await runToRefusal({
    owner: t,
    listen: `127.0.0.1:${port}`,
    admin: `127.0.0.1:${port}`,
  });
  t.equal(code, 1);
  t.match(lines, [/\(EADDRINUSE\): .*--listen$/], 'the admin listener has it by then');
});

t.test('an address that is not of this host', async (t) => {
  const { code, lines } = await runToRefusal({ owner: t, listen: '192.0.2.1:8080' });
  t.equal(code, 1);
  t.match(lines, [/cannot listen on 192\.0\.2\.1:8080 \(EADDRNOTAVAIL\)/]);
});

t.test('a state directory that is a file, or below one', async (t) => {
  const directory = await createTemporaryDirectory(t);
  const file = join(directory, 'occupied');
  await writeFile(file, 'not a directory');
  for (const state of [file, join(file, 'below')]) {
    const { code, stderr } = await run(listStartArguments({}, state, null));
    t.equal(code, 1);
    t.equal(stderr.trimEnd().split('\n').length, 1, 'one line');
    t.match(stderr, state);
  }
});
