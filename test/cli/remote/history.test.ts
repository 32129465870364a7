/** `gateway history` and `gateway rollback`, and what may not reach a terminal. */
import t from 'tap';
import { startGateway } from '../../helpers/gateway-process.ts';
import { commandsFor, configurationOf, linesOf } from './remote-commands.ts';

const gateway = await startGateway(t);
const commands = await commandsFor(t, gateway);
/** Clears a screen, by both spellings of the introducer; starts a line; turns the direction of writing around. */
const HOSTILE = '\u001b[2J\u009b2J\nrevision 99\r\u202eevil';
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u;

async function apply(routes: Readonly<Record<string, object>>, message: string): Promise<void> {
  const file = await commands.file('gateway.json', configurationOf(routes));
  const { code, stderr } = await commands.run(['apply', file, '--message', message]);
  if (code !== 0) throw new Error(stderr);
}

await apply({ a: {} }, 'the first');
await apply({ a: { order: 3 }, b: {} }, 'the second');
await apply({ a: { order: 3, requestHeaders: { set: { 'x-a': 'é' } } }, b: {} }, HOSTILE);

t.test('history: the newest first, with who, when and why', async (t) => {
  const { code, stdout } = await commands.run(['history']);
  t.equal(code, 0);
  const [header, newest, second, first, ...rest] = linesOf(stdout);
  t.match(header, /^REVISION +AT +ACTOR +ENTRIES +MESSAGE$/);
  t.match(newest, /^3 +20\d\d-\S+Z +admin +1 /);
  t.match(second, /^2 +20\d\d-\S+Z +admin +2 +the second$/);
  t.match(first, /^1 +20\d\d-\S+Z +admin +2 +the first$/);
  t.same(rest, [], 'a line feed within a message begins no line');
});

t.test('history --difference: what each change did', async (t) => {
  const { stdout } = await commands.run(['history', '--difference', '--before', '3']);
  const [head, ...lines] = linesOf(stdout);
  t.match(head, /^revision 2, 20\S+, admin: the second$/);
  t.same(lines.slice(0, 3), ['~ route a', '    /order: (absent) → 3', '+ route b']);
  t.match(lines.at(-3), /^revision 1, /);
  t.same(lines.slice(-2), ['+ cluster one', '+ route a']);
});

t.test('history --limit, --before and --json', async (t) => {
  const [limited, before, wrong] = await Promise.all([
    commands.read<{ entries: { revision: number; message: string }[] }>(['history', '--limit', '1']),
    commands.read<{ entries: { revision: number }[] }>(['history', '--before', '3']),
    commands.run(['history', '--limit', '501']),
  ]);
  t.same(
    limited.entries.map(({ revision, message }) => [revision, message]),
    [[3, HOSTILE]],
  );
  t.same(
    before.entries.map(({ revision }) => revision),
    [2, 1],
  );
  t.equal(wrong.code, 1);
  t.match(wrong.stderr, 'from 1 to 500');
});

t.test('what is in a message cannot give orders to the terminal, in no format', async (t) => {
  const outputs = await Promise.all([
    commands.run(['history']),
    commands.run(['history', '--difference']),
    commands.run(['history', '--json']),
    commands.run(['apply', `missing${HOSTILE}`]),
    commands.run(['check', `missing${HOSTILE}`]),
  ]);
  for (const { stdout, stderr } of outputs) t.notMatch(stdout + stderr, UNPRINTABLE);
});

t.test('nor what is in a value, or in a key: in a difference, a problem, an export', async (t) => {
  const query = [{ name: 'x', values: [HOSTILE] }];
  const hostile = configurationOf({ a: { match: { path: '/a', query } } });
  const file = await commands.file('hostile.json', hostile);
  const wrong = await commands.file('wrong.json', { [HOSTILE]: 1, routes: { [HOSTILE]: {} } });
  const outputs = [
    await commands.run(['apply', wrong]),
    await commands.run(['check', wrong]),
    await commands.run(['diff', wrong]),
    await commands.run(['apply', file]),
    await commands.run(['export']),
    await commands.run(['export', '--json']),
    await commands.run(['history', '--difference', '--limit', '1']),
    await commands.run(['explain', 'GET', '/x', '-H', `host: a`, '-H', `x-a: ${HOSTILE}`]),
  ];
  for (const { stdout, stderr } of outputs) t.notMatch(stdout + stderr, UNPRINTABLE);
  t.same(
    outputs.slice(3, 6).map(({ code }) => code),
    [0, 0, 0],
  );
  t.same(await commands.read(['export']), hostile, 'and it is all still there');
  t.equal((await commands.shell('gateway export | gateway diff -')).code, 0);
  await commands.run(['rollback', '3']);
});

t.test('rollback --dry-run shows what it would do, with 2, and changes nothing', async (t) => {
  const { code, stdout } = await commands.run(['rollback', '1', '--dry-run']);
  t.equal(code, 2);
  t.match(linesOf(stdout).slice(0, 3), ['~ route a', /\/(order|requestHeaders): .* → \(absent\)/]);
  t.match(stdout, /^2 differences from revision 5$/m);
});

t.test('rollback on another revision than expected: 3, and nothing is changed', async (t) => {
  const { code, stderr } = await commands.run(['rollback', '1', '--expect', '2']);
  t.equal(code, 3);
  t.match(stderr, 'expected revision 2, the configuration is at 5');
});

t.test('rollback to what there never was: 1', async (t) => {
  const [never, negative] = await Promise.all([
    commands.run(['rollback', '99']),
    commands.run(['rollback', 'yesterday']),
  ]);
  t.equal(never.code, 1);
  t.match(never.stderr, /^fengling-gateway: revision 99 is not in the history that is kept\n$/);
  t.equal(negative.code, 1);
});

t.test('rollback: the old configuration as a new revision', async (t) => {
  const { code, stdout } = await commands.run(['rollback', '1', '--expect', '5']);
  t.equal(code, 0);
  t.equal(linesOf(stdout).at(-1), 'revision 6 is written, served by 1 of 1 worker');
  t.same(await commands.read(['export']), configurationOf({ a: {} }));
  const { entries } = await commands.read<{ entries: object[] }>(['history', '--limit', '1']);
  t.match(entries, [{ revision: 6, message: 'rollback to 1', actor: 'admin' }]);
});
