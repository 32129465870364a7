/** The commands against two instances that share a Redis store. */
import t from 'tap';
import { startGateway } from '../../helpers/gateway-process.ts';
import { startRedis } from '../../helpers/redis-server.ts';
import { listWorkers } from '../../helpers/worker-processes.ts';
import { commandsFor, configurationOf, forwardWith, linesOf } from './remote-commands.ts';

const redis = await startRedis(t);
const [one, two] = await Promise.all(
  ['one', 'two'].map((instance) =>
    startGateway(t, { flags: ['--instance', instance], environment: { GATEWAY_REDIS_URL: redis.url } }),
  ),
);
if (one === undefined || two === undefined) throw new Error('no instances');
const commands = await commandsFor(t, one);
const others = await commandsFor(t, two);
const file = await commands.file('gateway.json', configurationOf({ a: {} }));

t.test(
  'GATEWAY_REDIS_URL is the store; apply --wait all waits for the workers of both instances',
  async (t) => {
    const { code, stdout } = await commands.run(['apply', file]);
    t.equal(code, 0);
    t.equal(linesOf(stdout).at(-1), 'revision 1 is written, served by 2 of 2 workers');
    t.same(await others.read(['export']), configurationOf({ a: {} }));
  },
);

t.test('apply --wait instance waits for its own workers alone', async (t) => {
  const changed = await commands.file('changed.json', configurationOf({ a: { order: 1 } }));
  const { code, stdout } = await commands.run(['apply', changed, '--wait', 'instance']);
  t.equal(code, 0);
  t.equal(linesOf(stdout).at(-1), 'revision 2 is written, served by 1 of 1 worker');
  t.equal((await others.run(['apply', changed])).code, 0);
});

t.test('status --fleet shows both, whichever is asked', async (t) => {
  for (const { run } of [commands, others].map((asked) => ({
    run: () => asked.run(['status', '--fleet']),
  }))) {
    const { code, stdout } = await run();
    t.equal(code, 0);
    const [, first, second, ...rest] = linesOf(stdout);
    t.match(first, /^one +\S+ +127\.0\.0\.1:\d+ +yes +2 +no +1 +\S+ +ok$/);
    t.match(second, /^two +\S+ +127\.0\.0\.1:\d+ +yes +2 +no +1 +\S+ +ok$/);
    t.same(rest, []);
  }
});

t.test('a worker of the other instance that does not answer: 4, and the table names it', async (t) => {
  const [[worker, pid] = [0, 0]] = listWorkers(two);
  const replaced = two.waitForNextLog(({ msg }) => msg === 'worker died', 30_000);
  // Not before the write: a worker that hangs is replaced after some seconds, and its successor would answer.
  const url = await forwardWith(t, one, () => process.kill(pid, 'SIGSTOP'));
  const { code, stdout } = await commands.run(['apply', file, '--admin-url', url, '--timeout-ms', '2000']);
  t.equal(code, 4);
  t.match(stdout, 'served by 1 of 2 workers');
  t.match(linesOf(stdout).at(-1), new RegExp(`^two +${worker} +2 +\\S`));
  await replaced;
  const again = await commands.run(['apply', file, '--timeout-ms', '30000']);
  t.equal(again.code, 0);
  t.match(again.stdout, 'served by 2 of 2 workers');
});

t.test(
  'a change through one instance is a conflict for who expects the revision before it at the other',
  async (t) => {
    const { configuration } = await others.read<{ configuration: { revision: number } }>(['status']);
    const changed = await commands.file('changed.json', configurationOf({ a: { order: 9 } }));
    t.equal((await commands.run(['apply', changed])).code, 0);
    const { code, stderr } = await others.run(['apply', file, '--expect', String(configuration.revision)]);
    t.equal(code, 3);
    t.match(stderr, `the configuration is at ${configuration.revision + 1}`);
  },
);
