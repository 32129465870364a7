/** `gateway demo`: the first thing that people try. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { checkFile } from '../../lib/cli/check.ts';
import { spawnGateway } from '../helpers/gateway-command.ts';
import { GatewayProcess } from '../helpers/gateway-process.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { get } from '../helpers/worker-processes.ts';

t.test('the demo serves what its introduction says, and its file can be edited', async (t) => {
  const state = join(await createTemporaryDirectory(t), 'state');
  const file = join(state, 'gateway.yaml');
  const child = spawnGateway([
    'demo',
    ...['--state', state, '--workers', '2', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
  ]);
  const gateway = new GatewayProcess(child, state, file);
  t.teardown(() => gateway.stop());
  await gateway.waitForLog(({ msg }) => msg === 'gateway ready', 20_000);

  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await get(gateway.port, path, headers);
    t.equal(response.status, 200, path);
    return { response, said: JSON.parse(response.text) as { origin: string; url: string } };
  };
  t.match((await ask('/anything')).said, { origin: 'site-1', url: '/anything' });
  const origins = new Set<string>();
  for (let count = 0; count < 8; count += 1) origins.add((await ask('/orders/42')).said.origin);
  t.same([...origins].sort(), ['orders-1', 'orders-2'], 'two origins take turns');
  const beta = await ask('/orders/7', { 'x-beta': 'yes' });
  t.equal(beta.response.header('x-version'), 'beta');

  t.match(await checkFile(file), { ok: true, problems: [], warnings: [] });
  const text = await readFile(file, 'utf8');
  const applied = gateway.waitForNextLog(({ msg }) => msg === 'configuration applied');
  await writeFile(file, text.replace('x-version: beta', 'x-version: gamma'));
  await applied;
  const edited = await ask('/orders/7', { 'x-beta': 'yes' });
  t.equal(edited.response.header('x-version'), 'gamma');

  await gateway.waitForLog(({ msg }) => msg?.startsWith('Change ') === true);
  const introduction = gateway.logs.map(({ msg }) => msg).join('\n');
  t.match(introduction, `curl http://127.0.0.1:${gateway.port}/orders/42`, 'with the port that it has');
  t.match(introduction, `curl http://127.0.0.1:${gateway.adminPort}/metrics`);
  t.match(introduction, file);

  gateway.signal('SIGINT');
  t.same(await gateway.exited, { code: 0, signal: null });
});
