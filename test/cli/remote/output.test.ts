/** What becomes of output that is large, or that nobody reads. */
import t from 'tap';
import { startGateway } from '../../helpers/gateway-process.ts';
import { commandsFor, configurationOf } from './remote-commands.ts';

/** So many that their text is many times what a pipe holds. */
const ROUTES = 3_000;

function largeConfiguration(order: number): object {
  const routes = Array.from({ length: ROUTES }, (_, index) => [`route-${index}`, { order }] as const);
  return configurationOf(Object.fromEntries(routes));
}

const gateway = await startGateway(t);
const commands = await commandsFor(t, gateway);
const large = await commands.file('large.json', largeConfiguration(1));
t.equal((await commands.run(['apply', large])).code, 0);

t.test('large outputs arrive whole through a pipe', async (t) => {
  const [yaml, json, throughCat] = await Promise.all([
    commands.run(['export']),
    commands.read(['export']),
    commands.shell('gateway export | (sleep 0.2; cat) | wc -l'),
  ]);
  t.same(json, largeConfiguration(1));
  t.equal([...yaml.stdout.matchAll(/^ {2}route-\d+:$/gm)].length, ROUTES);
  t.equal(Number(throughCat.stdout), yaml.stdout.split('\n').length - 1);
});

t.test(
  'a reader that has seen enough is no error: no stack trace, and the exit code stays what it is',
  async (t) => {
    for (const [line, code] of [
      ['gateway export | head -1', 0],
      ['gateway history --difference | head -1', 0],
      ['gateway schema | head -1', 0],
      [`echo 'routes: {}' | gateway diff - | head -1`, 2],
    ] as const) {
      const result = await commands.shell(line);
      t.same([result.code, result.stderr], [code, ''], line);
      t.equal(result.stdout.split('\n').length, 2, line);
    }
  },
);

t.test('nor does it keep a command from what it was asked to do', async (t) => {
  const file = await commands.file('changed.json', largeConfiguration(2));
  const { code, stderr } = await commands.shell(`gateway apply '${file}' | head -1`);
  t.same([code, stderr], [0, '']);
  t.same(await commands.read(['export']), largeConfiguration(2));
});

t.test('output that cannot be written is a failure: a file that is cut may not pass for whole', async (t) => {
  const { code, stderr } = await commands.shell('gateway export > /dev/full');
  t.equal(code, 1);
  t.match(stderr, /^fengling-gateway: the output cannot be written: .*ENOSPC.*\n$/);
});
