/** A change that not every worker confirms in time. */
import t, { type Test } from 'tap';
import { startGateway } from '../../helpers/gateway-process.ts';
import { listWorkers } from '../../helpers/worker-processes.ts';
import { commandsFor, configurationOf, forwardWith, linesOf } from './remote-commands.ts';

const gateway = await startGateway(t, { workers: 2 });
const commands = await commandsFor(t, gateway);
const file = await commands.file('gateway.json', configurationOf({ a: {} }));

/**
 * Stops a worker from doing anything when a write comes. It is killed and replaced after some seconds, which the
 * command that writes may need for its start.
 */
async function stopOneWorkerAtWrite(owner: Test): Promise<{ worker: number; url: string }> {
  const [[worker, pid] = [0, 0]] = listWorkers(gateway);
  const url = await forwardWith(owner, gateway, () => process.kill(pid, 'SIGSTOP'));
  return { worker, url };
}

t.test('a worker that does not answer: 4, and a table of who has not', async (t) => {
  const { worker, url } = await stopOneWorkerAtWrite(t);
  const replaced = gateway.waitForNextLog(({ msg }) => msg === 'worker died', 30_000);
  const { code, stdout } = await commands.run(['apply', file, '--admin-url', url, '--timeout-ms', '2000']);
  t.equal(code, 4);
  const lines = linesOf(stdout);
  t.ok(lines.includes('revision 1 is written, served by 1 of 2 workers'), stdout);
  t.match(stdout, 'not confirmed within 2000 ms');
  const [header = '', ...rows] = lines.slice(-2);
  t.match(header, /^INSTANCE +WORKER +REVISION +PROBLEM$/);
  t.equal(rows.length, 1);
  t.match(rows[0], new RegExp(`^\\S+ +${worker} +0 +\\S`));
  await replaced;
});

t.test('the same command again waits for what is missing, although there is nothing to change', async (t) => {
  const { code, stdout } = await commands.run(['apply', file, '--timeout-ms', '30000']);
  t.equal(code, 0, stdout);
  t.match(stdout, /^no difference from revision 1\nrevision 1 is served by 2 of 2 workers\n$/);
});

t.test('rollback and --json end with 4 as well; --wait none with 0', async (t) => {
  const replaced = gateway.waitForNextLog(({ msg }) => msg === 'worker died', 30_000);
  const { worker, url } = await stopOneWorkerAtWrite(t);
  const words = ['rollback', '0', '--admin-url', url, '--timeout-ms', '2000', '--json'];
  const { code, stdout } = await commands.run(words);
  t.equal(code, 4);
  t.match(JSON.parse(stdout), { revision: 2, complete: false });
  const { applied } = JSON.parse(stdout) as { applied: { worker: number; ok: boolean; problem?: string }[] };
  t.same(
    applied.filter(({ ok }) => !ok).map((receipt) => receipt.worker),
    [worker],
  );
  t.equal((await commands.run(['apply', file, '--wait', 'none'])).code, 0);
  await replaced;
});
