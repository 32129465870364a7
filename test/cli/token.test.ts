import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createToken, TokenFile } from '../../lib/auth/token-file.ts';
import { runGatewayCommand } from '../helpers/gateway-command.ts';

/** Generous, for machines that have a lot else to do. */
const LIMIT_MS = 30_000;

const token = (words: readonly string[], state: string) =>
  runGatewayCommand(['token', ...words], { GATEWAY_STATE: state }, LIMIT_MS);

async function roleOf(state: string, text: string): Promise<string | undefined> {
  const file = await TokenFile.open(state, () => {});
  return (await file.find(text.trim(), Date.now()))?.entry.role;
}

t.test('create prints the token alone on standard output, and it works', async (t) => {
  const state = join(t.testdir(), 'new');
  const { code, stdout, stderr } = await token(['create', 'ci', '--role', 'operator'], state);
  t.equal(code, 0);
  t.match(stdout, /^fgw_[A-Za-z0-9_-]{43}\n$/);
  t.match(stderr, /^token "ci", role operator, does not expire, in .*new; keep it/);
  t.notOk(stderr.includes(stdout.trim()));
  t.equal(await roleOf(state, stdout), 'operator');
});

t.test('list shows what there is, without tokens or hashes; revoke takes one away', async (t) => {
  const state = t.testdir();
  const made = await token(['create', 'ci', '--role', 'admin', '--expires-in', '90d', '--json'], state);
  const created = JSON.parse(made.stdout) as Record<string, string>;
  t.match(created, { name: 'ci', role: 'admin', token: /^fgw_/, createdAt: String, expiresAt: String });
  t.equal(Date.parse(created.expiresAt ?? '') - Date.parse(created.createdAt ?? ''), 90 * 86_400_000);
  await createToken(state, { name: 'eyes', role: 'reader', now: new Date(), expiresAt: null });
  const [listed, json] = await Promise.all([token(['list'], state), token(['list', '--json'], state)]);
  t.match(
    listed.stdout,
    /^NAME {2}ROLE {4}CREATED +EXPIRES\nci {4}admin {3}20\S+Z {2}20\S+Z\neyes {2}reader {2}20\S+Z {2}never\n$/,
  );
  const entries = JSON.parse(json.stdout) as Record<string, unknown>[];
  t.same(
    entries.map((entry) => Object.keys(entry).join()),
    Array(2).fill('name,role,createdAt,expiresAt'),
  );
  const revoked = await token(['revoke', 'ci'], state);
  t.same([revoked.code, revoked.stdout, revoked.stderr], [0, '', 'token "ci" is revoked\n']);
  t.equal(await roleOf(state, created.token ?? ''), undefined);
});

t.test('what cannot be done is one line and exit code 1, with nothing on standard output', async (t) => {
  const state = t.testdir();
  await createToken(state, { name: 'ci', role: 'reader', now: new Date(), expiresAt: null });
  const refused: [readonly string[], RegExp][] = [
    [['create', 'ci', '--role', 'reader'], /^error: there is a token "ci" already/],
    [['create', 'x', '--role', 'root'], /Allowed choices are reader, operator, admin/],
    [
      ['create', 'x', '--role', 'reader', '--expires-in', '90'],
      /give a number and s, m, h, d or w, such as 90d/,
    ],
    [['revoke', 'x'], /^error: there is no token "x"/],
  ];
  const results = await Promise.all(refused.map(([words]) => token(words, state)));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    t.same([code, stdout], [1, '']);
    t.match(stderr, refused[index]?.[1]);
  }
});

t.test('a damaged file is an error; a missing one is not, and is not created', async (t) => {
  const state = t.testdir({ 'tokens.json': '{}' });
  const missing = join(state, 'missing');
  const [damaged, none] = await Promise.all([token(['list'], state), token(['list'], missing)]);
  t.match(damaged, { code: 1, stdout: '', stderr: /^error: cannot use .*tokens\.json: / });
  t.match(none, { code: 0, stdout: '', stderr: /there are no tokens in/ });
  t.notOk(existsSync(missing));
});
