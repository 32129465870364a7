/** Tokens and roles as the commands meet them. Few attempts are wrong: too many of them, and an address is refused. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startGateway } from '../../helpers/gateway-process.ts';
import { listWorkers, waitForWorkers } from '../../helpers/worker-processes.ts';
import { commandsFor, configurationOf, linesOf } from './remote-commands.ts';

const gateway = await startGateway(t, { workers: 2 });
const commands = await commandsFor(t, gateway);
const file = await commands.file('gateway.json', configurationOf({ a: {} }));

async function createToken(name: string, role: string): Promise<string> {
  const { code, stdout, stderr } = await commands.run(['token', 'create', name, '--role', role]);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

const [reader, operator] = [await createToken('looks', 'reader'), await createToken('watches', 'operator')];

t.test('a reader looks, and gets 5 and one line for what takes more', async (t) => {
  const environment = { GATEWAY_TOKEN: reader };
  const [status, history, diff, explain, apply, restart] = await Promise.all(
    [['status'], ['history'], ['diff', file], ['explain', 'GET', '/a'], ['apply', file], ['restart']].map(
      (words) => commands.run(words, environment),
    ),
  );
  t.same([status?.code, history?.code, diff?.code, explain?.code], [0, 0, 2, 0]);
  t.same([apply?.code, apply?.stdout, restart?.code], [5, '', 5]);
  t.match(
    apply?.stderr,
    /^fengling-gateway: this takes the role admin, and the token has reader.*GATEWAY_TOKEN.*\n$/,
  );
  t.equal(linesOf(restart?.stderr ?? '').length, 1);
});

t.test(
  'an operator restarts the workers, which are really replaced, and may not change anything',
  async (t) => {
    const environment = { GATEWAY_TOKEN: operator };
    const before = [...listWorkers(gateway).values()];
    const replaced = waitForWorkers(gateway, 2, 40_000);
    const [restart, apply] = await Promise.all([
      commands.run(['restart'], environment),
      commands.run(['apply', file], environment),
    ]);
    t.equal(restart.code, 0);
    t.equal(apply.code, 5);
    await replaced;
    await gateway.waitForLog(({ msg }) => msg === 'workers restarted', 40_000);
    const { workers } = await commands.read<{ workers: { pid: number; state: string }[] }>(['status']);
    t.same(
      workers.map(({ state }) => state),
      ['serving', 'serving'],
    );
    for (const { pid } of workers) t.notOk(before.includes(pid), `${pid} is new`);
  },
);

t.test('a token works from the moment it is made until it is revoked', async (t) => {
  const environment = { GATEWAY_TOKEN: await createToken('ci', 'admin') };
  t.equal((await commands.run(['apply', file], environment)).code, 0);
  const { entries } = await commands.read<{ entries: object[] }>(['history']);
  t.match(entries, [{ actor: 'ci' }]);
  t.equal((await commands.run(['token', 'revoke', 'ci'])).code, 0);
  const deadline = performance.now() + 10_000;
  for (;;) {
    const { code, stderr } = await commands.run(['status'], environment);
    if (code === 5) {
      t.match(stderr, /^fengling-gateway: the token is unknown or was revoked .*\n$/);
      break;
    }
    if (performance.now() > deadline) throw new Error('it still works');
  }
});

t.test('no token: 5, and one line that says where one is looked for', async (t) => {
  const nowhere = { GATEWAY_STATE: join(gateway.stateDirectory, 'elsewhere') };
  const [text, json] = await Promise.all([
    commands.run(['status'], nowhere),
    commands.run(['status', '--json'], nowhere),
  ]);
  t.same([text.code, text.stdout], [5, '']);
  t.match(
    text.stderr,
    /^fengling-gateway: a token is needed: .*GATEWAY_TOKEN_FILE.*elsewhere\/admin\.token.*\n$/,
  );
  t.equal(json.code, 5);
  t.match(JSON.parse(json.stdout), { code: 'GW_ERR_UNAUTHORIZED' });
});

t.test('a token that is wrong: 5, one line, and it is not shown', async (t) => {
  for (const token of ['fgw_wrong', 'with a space', 'line\nfeed']) {
    const { code, stdout, stderr } = await commands.run(['status'], { GATEWAY_TOKEN: token });
    t.same([code, stdout], [5, ''], token);
    t.equal(linesOf(stderr).length, 1, token);
    t.match(stderr, 'GATEWAY_TOKEN');
    t.notMatch(stderr, token);
  }
});

t.test('a token from a file; one that is not there: 5', async (t) => {
  const path = join(gateway.stateDirectory, 'reader.token');
  await writeFile(path, `${reader}\n`);
  const [good, missing, both] = await Promise.all([
    commands.run(['status'], { GATEWAY_TOKEN_FILE: path }),
    commands.run(['status'], { GATEWAY_TOKEN_FILE: `${path}.missing` }),
    commands.run(['status'], { GATEWAY_TOKEN_FILE: path, GATEWAY_TOKEN: reader }),
  ]);
  t.equal(good.code, 0);
  t.equal(missing.code, 5);
  t.match(missing.stderr, /^fengling-gateway: GATEWAY_TOKEN_FILE: cannot read .*\n$/);
  t.equal(both.code, 5);
  t.match(both.stderr, 'both set');
});

t.test('the token that the first start made is for its owner alone, and nowhere in the log', async (t) => {
  const token = (await readFile(join(gateway.stateDirectory, 'admin.token'), 'utf8')).trim();
  t.notMatch(JSON.stringify(gateway.logs), token);
});

t.test('no gateway there, or an address that is none: 1, and one line that says what to do', async (t) => {
  const cases = [
    ['http://127.0.0.1:1', /no gateway answers at http:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\).*--admin-url/],
    ['https://127.0.0.1:1', /ECONNREFUSED/],
    ['garbage', /--admin-url garbage: give a URL/],
    ['ftp://127.0.0.1', /give a URL/],
    ['http://user:hidden@127.0.0.1:1', /leave user and password out/],
    [`http://127.0.0.1:${gateway.port}`, /this is the address for clients/],
  ] as const;
  const results = await Promise.all(cases.map(([url]) => commands.run(['status', '--admin-url', url])));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    const [url, line] = cases[index] ?? ['', /$/];
    t.same([code, stdout], [1, ''], url);
    t.match(stderr, line);
    t.equal(linesOf(stderr).length, 1);
    t.notMatch(stderr, 'hidden');
  }
});

t.test('the address of the API itself is as good, and an empty variable is none', async (t) => {
  const url = `http://127.0.0.1:${gateway.adminPort}/api/gateway/`;
  t.equal((await commands.run(['status', '--admin-url', url])).code, 0);
  const unset = await commands.run(['status'], { GATEWAY_ADMIN_URL: '', GATEWAY_STATE: '' });
  t.notMatch(unset.stderr, 'give a URL');
});
