/** Without a configuration file: the store in the state directory. */
import { join } from 'node:path';
import t from 'tap';
import { listStartArguments, runGatewayCommand } from '../helpers/gateway-command.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { get } from '../helpers/worker-processes.ts';

t.test('a gateway without any configuration is ready and answers 404', async (t) => {
  const gateway = await startGateway(t, { workers: 2 });
  const response = await get(gateway.port, '/anything');
  t.equal(response.status, 404);
  t.match(JSON.parse(response.text), { code: 'GW_ERR_NO_ROUTE' });
  t.equal((await get(gateway.adminPort, '/readyz')).status, 200);
  t.equal((await gateway.metrics()).get('gateway_configuration_revision'), 0);
});

t.test('a second gateway on the same state directory is refused in one line', async (t) => {
  const stateDirectory = join(await createTemporaryDirectory(t), 'state');
  const first = await startGateway(t, { stateDirectory });
  // With a configuration file as well: the last good configurations would overwrite each other.
  for (const file of [null, join(stateDirectory, 'gateway.yaml')]) {
    const second = await runGatewayCommand(listStartArguments({}, stateDirectory, file), {}, 30_000);
    t.equal(second.code, 1);
    t.equal(second.stderr.trimEnd().split('\n').length, 1, 'one line');
    t.match(second.stderr, stateDirectory);
    t.match(second.stderr, String(first.pid), 'names the process that holds it');
  }
  t.equal((await get(first.port, '/')).status, 404, 'the first one serves on');

  t.same(await first.stop(), { code: 0, signal: null });
  const third = await startGateway(t, { stateDirectory });
  t.equal((await get(third.port, '/')).status, 404, 'a third one may follow the first');

  third.signal('SIGKILL');
  await third.exited;
  const fourth = await startGateway(t, { stateDirectory });
  t.equal((await get(fourth.port, '/')).status, 404, 'and another one may follow one that was killed');
});
