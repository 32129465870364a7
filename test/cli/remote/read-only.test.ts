/** The commands against a gateway whose configuration is a file: it can be looked at, and not written. */
import t from 'tap';
import { startGateway } from '../../helpers/gateway-process.ts';
import { commandsFor, configurationOf, linesOf } from './remote-commands.ts';

const gateway = await startGateway(t, { config: configurationOf({ a: {} }) });
const commands = await commandsFor(t, gateway);
const same = await commands.file('same.json', configurationOf({ a: {} }));
const changed = await commands.file('changed.json', configurationOf({ a: {}, b: {} }));

t.test('what writes ends with 1 and one line that says where the configuration is', async (t) => {
  const results = await Promise.all(
    [
      ['apply', changed],
      ['apply', same],
      ['rollback', '0'],
    ].map((words) => commands.run(words)),
  );
  for (const { code, stdout, stderr } of results) {
    t.same([code, stdout], [1, '']);
    t.match(stderr, /^fengling-gateway: the configuration comes from the file of --config: .*\n$/);
  }
  const json = await commands.run(['apply', changed, '--json']);
  t.match(JSON.parse(json.stdout), { code: 'GW_ERR_READ_ONLY', status: 409 });
});

t.test('there is no history of a file', async (t) => {
  const { code, stderr } = await commands.run(['history']);
  t.equal(code, 1);
  t.equal(linesOf(stderr).length, 1);
  t.match(stderr, 'has no history here');
});

t.test('diff says what saving another file would change', async (t) => {
  const [different, equal] = await Promise.all([
    commands.run(['diff', changed]),
    commands.run(['diff', same]),
  ]);
  t.same([different.code, different.stdout], [2, '+ route b\n1 difference from revision 1\n']);
  t.same([equal.code, equal.stdout], [0, 'no difference from revision 1\n']);
});

t.test('export, status and explain work as ever', async (t) => {
  t.same(await commands.read(['export']), configurationOf({ a: {} }));
  t.match(await commands.read(['status']), { store: { kind: 'config-file', writable: false } });
  t.match(await commands.read(['explain', 'GET', 'http://h/a']), { route: 'a' });
});

t.test('status says which problems a refused save has', async (t) => {
  await gateway.offerConfig({ routes: { a: { match: { path: '/a' }, cluster: 'gone' } } });
  const { code, stdout } = await commands.run(['status']);
  t.equal(code, 0);
  t.match(stdout, /^refused +revision .*\n +\/routes\/a\/cluster: there is no cluster "gone"/m);
});
