/** `gateway credential …`, as people and scripts call it. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parse } from 'yaml';
import { matchesPassword } from '../../lib/auth/password-hash.ts';
import { validateDocument } from '../../lib/core/config/validate.ts';
import { runGatewayCommand } from '../helpers/gateway-command.ts';

const GATEWAY = fileURLToPath(new URL('../../bin/gateway', import.meta.url));
const run = (words: readonly string[]) => runGatewayCommand(words, {}, 30_000);

/** Runs `gateway credential password` with this on its standard input. */
async function readFrom(input: string | Buffer, ...words: readonly string[]) {
  const child = spawn(process.execPath, [GATEWAY, 'credential', 'password', ...words]);
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await exit, stdout, stderr };
}

/** Whether a configuration takes a consumer. */
function problemsOf(consumer: object): readonly unknown[] {
  return validateDocument({ consumers: { shop: consumer } }).problems;
}

t.test('api-key: a new key, and its hash as the configuration takes it', async (t) => {
  const { code, stdout, stderr } = await run(['credential', 'api-key']);
  t.equal(code, 0);
  const [key = '', ...rest] = stdout.split('\n');
  t.match(key, /^fgk_[\w-]{43}$/);
  const apiKeys = parse(rest.join('\n')) as { hash: string }[];
  t.same(apiKeys, [{ hash: `sha256:${createHash('sha256').update(key).digest('hex')}` }]);
  t.same(problemsOf({ apiKeys }), []);
  t.match(stderr, 'cannot be shown again');
  t.notOk(stderr.includes(key));
});

t.test('api-key --json', async (t) => {
  const [one, other] = await Promise.all([
    run(['credential', 'api-key', '--json']),
    run(['credential', 'api-key', '--json']),
  ]);
  const { key, hash, ...rest } = JSON.parse(one.stdout) as Record<string, string>;
  t.same([one.code, one.stderr, rest], [0, '', {}]);
  t.equal(hash, `sha256:${createHash('sha256').update(String(key)).digest('hex')}`);
  t.not((JSON.parse(other.stdout) as { key: string }).key, key, 'another each time');
});

t.test('password: an entry for the configuration', async (t) => {
  const { code, stdout, stderr } = await readFrom('pässwort\n', '--username', 'alice');
  t.same([code, stderr], [0, '']);
  t.notOk(stdout.includes('pässwort'));
  const passwords = parse(stdout) as { username: string; hash: string }[];
  t.same(problemsOf({ passwords }), []);
  t.equal(passwords[0]?.username, 'alice');
  t.equal(await matchesPassword(passwords[0]?.hash ?? '', 'pässwort'), true, 'without the line feed');
});

t.test('password --json, without a user name', async (t) => {
  const { code, stdout } = await readFrom('pa\u0308ss', '--json');
  t.equal(code, 0);
  const { hash, ...rest } = JSON.parse(stdout) as { hash: string };
  t.same(rest, {});
  t.equal(await matchesPassword(hash, 'p\u00e4ss'), true, 'normalised, as clients send it');
});

t.test('a password that no client could send is refused', async (t) => {
  const cases: readonly (readonly [string | Buffer, string])[] = [
    ['', 'there is no password'],
    ['\n', 'there is no password'],
    ['two\nlines\n', 'controls'],
    ['a'.repeat(2_000), 'longer than 1024 bytes'],
    [Buffer.from([0xff, 0xfe]), 'not UTF-8'],
  ];
  for (const [input, complaint] of cases) {
    const { code, stdout, stderr } = await readFrom(input);
    t.same([code, stdout], [1, '']);
    t.match(stderr, complaint);
  }
});

t.test('a refusal as JSON', async (t) => {
  const { code, stdout } = await readFrom('secret', '--json', '--username', 'a:b');
  t.equal(code, 1);
  t.match(JSON.parse(stdout), { detail: /--username "a:b" cannot be a user name/ });
});

t.test('a password on the command line is refused', async (t) => {
  const { code, stderr } = await run(['credential', 'password', 'secret']);
  t.equal(code, 1);
  t.match(stderr, 'too many arguments');
});
