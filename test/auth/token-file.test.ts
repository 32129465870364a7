import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import type { Role } from '../../lib/auth/roles.ts';
import { digestOf } from '../../lib/auth/token-entry.ts';
import { createToken, listTokens, revokeToken, TokenFile } from '../../lib/auth/token-file.ts';

const EDITOR = fileURLToPath(new URL('./token-editing-process.ts', import.meta.url));
const NOW = new Date('2030-01-01T00:00:00.000Z');
const NOW_MS = NOW.getTime();

const fileOf = (directory: string): string => join(directory, 'tokens.json');

async function create(directory: string, name: string, role: Role = 'reader', expiresAt: Date | null = null) {
  return (await createToken(directory, { name, role, now: NOW, expiresAt })).token;
}

async function open(directory: string) {
  const problems: string[] = [];
  const file = await TokenFile.open(directory, (problem) => problems.push(problem));
  return { file, problems };
}

t.test('a token is found by itself alone; only its hash is stored, for the owner alone', async (t) => {
  const directory = join(t.testdir(), 'state');
  const token = await create(directory, 'ci', 'operator');
  t.match(token, /^fgw_[A-Za-z0-9_-]{43}$/);
  t.equal(statSync(fileOf(directory)).mode & 0o777, 0o600);
  const text = readFileSync(fileOf(directory), 'utf8');
  t.notOk(text.includes(token) || text.includes(token.slice(4)));
  t.ok(text.includes(digestOf(token).toString('hex')));
  const { file } = await open(directory);
  t.match(await file.find(token, NOW_MS), { kind: 'valid', entry: { name: 'ci', role: 'operator' } });
  for (const other of ['', `${token}x`, token.slice(0, -1), token.toUpperCase(), 'fgw_']) {
    t.equal(await file.find(other, NOW_MS), null, other);
  }
  t.same(readdirSync(directory), ['tokens.json']);
});

t.test('names are unique and plain', async (t) => {
  const directory = t.testdir();
  await create(directory, 'ci');
  await t.rejects(
    create(directory, 'ci', 'admin'),
    /there is a token "ci" already, created at 2030.*revoke it first/,
  );
  for (const name of ['', '-a', 'a b', 'a/b', 'ä', 'a'.repeat(65), 'a\n', '../a']) {
    await t.rejects(create(directory, name), /cannot be the name of a token/, JSON.stringify(name));
  }
  await t.rejects(create(directory, 'environment'), /stands for the token in GATEWAY_ADMIN_TOKEN/);
  t.same(
    (await listTokens(directory)).map(({ name }) => name),
    ['ci'],
  );
});

t.test('revoking takes away one token, and says where there is none', async (t) => {
  const directory = t.testdir();
  const [kept, revoked] = [await create(directory, 'kept'), await create(directory, 'gone')];
  await revokeToken(directory, 'gone');
  const { file } = await open(directory);
  t.equal(await file.find(revoked, NOW_MS), null);
  t.ok(await file.find(kept, NOW_MS));
  await t.rejects(revokeToken(directory, 'gone'), /there is no token "gone" in/);
  await t.rejects(revokeToken(join(directory, 'missing'), 'x'), /there is no token "x" in/);
});

t.test('an expired token is told from an unknown one', async (t) => {
  const directory = t.testdir();
  const token = await create(directory, 'short', 'reader', new Date(NOW_MS + 1_000));
  const { file } = await open(directory);
  t.match(await file.find(token, NOW_MS + 999), { kind: 'valid' });
  t.match(await file.find(token, NOW_MS + 1_000), { kind: 'expired', entry: { name: 'short' } });
});

t.test('a running gateway sees a new token at once and a revoked one within a second', async (t) => {
  const directory = t.testdir();
  const { file } = await open(directory);
  t.equal(await file.find('fgw_x', NOW_MS), null);
  const token = await create(directory, 'new');
  t.ok(await file.find(token, NOW_MS + 250));
  await revokeToken(directory, 'new');
  t.ok(await file.find(token, NOW_MS + 300), 'for as long as the file has not been looked at');
  t.equal(await file.find(token, NOW_MS + 500), null);
});

t.test(
  'while the file is damaged, what was known stays valid, expires, and nothing else gets in',
  async (t) => {
    const directory = t.testdir();
    const token = await create(directory, 'known', 'admin', new Date(NOW_MS + 60_000));
    const { file, problems } = await open(directory);
    const added = await create(directory, 'added');
    const good = readFileSync(fileOf(directory), 'utf8');
    writeFileSync(fileOf(directory), good.replace('admin', 'Admin'));
    t.match(await file.find(token, NOW_MS), { kind: 'valid' });
    t.equal(await file.find(added, NOW_MS + 1_000), null);
    t.match(await file.find(token, NOW_MS + 60_000), { kind: 'expired' });
    t.equal(problems.length, 1);
    t.match(problems[0], /cannot use .*tokens\.json: its checksum does not match its content; restore it/);
    writeFileSync(fileOf(directory), good);
    t.ok(await file.find(added, NOW_MS + 2_000));
  },
);

t.test('a file that is removed takes all tokens with it', async (t) => {
  const directory = t.testdir();
  const token = await create(directory, 'a');
  const { file } = await open(directory);
  rmSync(fileOf(directory));
  t.equal(await file.find(token, NOW_MS), null);
});

t.test('a damaged file is never taken for one without tokens', async (t) => {
  const directory = t.testdir();
  await create(directory, 'a');
  const good = readFileSync(fileOf(directory), 'utf8');
  const damaged = ['', '{', '[]', '{}', good.slice(0, -20), good.replace('reader', 'admin')];
  for (const text of damaged) {
    writeFileSync(fileOf(directory), text);
    await t.rejects(open(directory), /cannot use .*tokens\.json: /);
    await t.rejects(listTokens(directory), /cannot use .*tokens\.json: /);
    await t.rejects(create(directory, 'b'), /cannot use .*tokens\.json: /);
    await t.rejects(revokeToken(directory, 'a'), /cannot use .*tokens\.json: /);
    t.equal(readFileSync(fileOf(directory), 'utf8'), text, 'and left alone');
  }
});

t.test('processes that edit at the same time do not undo each other', async (t) => {
  const directory = t.testdir();
  const names = ['a', 'b', 'c'].map((letter) => [1, 2, 3].map((number) => `${letter}${number}`));
  await Promise.all(names.map((own) => promisify(execFile)(process.execPath, [EDITOR, directory, ...own])));
  t.same((await listTokens(directory)).map(({ name }) => name).sort(), names.flat());
  t.same(readdirSync(directory), ['tokens.json']);
});

t.test('a token that cannot be kept safe is not created', async (t) => {
  const directory = t.testdir();
  const order = { name: 'a', role: 'admin', now: NOW, expiresAt: null } as const;
  await t.rejects(
    createToken(directory, order, () => Promise.reject(new Error('disk full'))),
    /disk full/,
  );
  t.same(await listTokens(directory), []);
});
