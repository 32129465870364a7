/** `start` with Redis: what fills an empty store, and where secrets may come from and go to. */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { runGatewayCommand } from '../helpers/gateway-command.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { listWorkers } from '../helpers/worker-processes.ts';
import { commandsFor, configurationOf } from './remote/remote-commands.ts';

const PASSWORD = 'hidden-from-workers-1';
const ADMIN_TOKEN = 'hidden-from-workers-2-hidden-from-workers-2';
const SECRETS = {
  GATEWAY_REDIS_PASSWORD: PASSWORD,
  GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN,
  GATEWAY_TOKEN: 'hidden-from-workers-3',
};

const redis = await startRedis(t, { password: PASSWORD });

t.test('--config with --redis fills an empty store, once and never again', async (t) => {
  const start = (config: object) =>
    startGateway(t, { config, flags: ['--redis', redis.url], environment: SECRETS });
  const first = await start(configurationOf({ seeded: {} }));
  const commands = await commandsFor(t, first);
  const environment = { GATEWAY_TOKEN: ADMIN_TOKEN };
  t.same(
    JSON.parse((await commands.run(['export', '--json'], environment)).stdout),
    configurationOf({ seeded: {} }),
  );
  const history = await commands.run(['history', '--json'], environment);
  t.match(JSON.parse(history.stdout), {
    entries: [{ revision: 1, actor: 'gateway', message: /seeded from/ }],
  });

  const changed = await commands.file('changed.json', configurationOf({ changed: {} }));
  t.equal((await commands.run(['apply', changed], environment)).code, 0);
  // Saving the file is no change either: Redis is the configuration.
  await first.writeConfig(configurationOf({ saved: {} }));
  await first.stop();
  const second = await start(configurationOf({ another: {} }));
  const again = await commandsFor(t, second);
  const exported = await again.run(['export', '--json'], environment);
  t.same(JSON.parse(exported.stdout), configurationOf({ changed: {} }));

  // And emptied on purpose, it stays empty.
  const none = await again.file('none.yaml', 'routes: {}\n');
  t.equal((await again.run(['apply', none], environment)).code, 0);
  await second.stop();
  const third = await start(configurationOf({ another: {} }));
  const status = await (await commandsFor(t, third)).run(['status', '--json'], environment);
  t.match(JSON.parse(status.stdout), { configuration: { revision: 3, routes: 0 } });
});

t.test('secrets of the environment are not handed on to the workers', async (t) => {
  const url = redis.url.replace('redis://', `redis://default:${PASSWORD}@`);
  for (const environment of [SECRETS, { ...SECRETS, GATEWAY_REDIS_PASSWORD: '', GATEWAY_REDIS_URL: url }]) {
    const flags = 'GATEWAY_REDIS_URL' in environment ? [] : ['--redis', redis.url];
    const gateway = await startGateway(t, { flags, environment: { ...environment, KEPT: 'for issuers' } });
    const pids = [...listWorkers(gateway).values()];
    t.equal(pids.length, 1);
    for (const pid of pids) {
      const inherited = await readFile(`/proc/${pid}/environ`, 'utf8');
      t.notMatch(inherited, 'hidden-from-workers');
      t.match(inherited, 'KEPT=for issuers');
    }
    t.notMatch(JSON.stringify(gateway.logs), 'hidden-from-workers', 'nor to the log');
    await gateway.stop();
  }
});

t.test('a password in --redis is refused in one line that does not repeat it', async (t) => {
  const url = redis.url.replace('redis://', 'redis://default:hidden@');
  const { code, stdout, stderr } = await runGatewayCommand(['start', '--redis', url], {}, 30_000);
  t.same([code, stdout], [1, '']);
  t.match(stderr, /^error: --redis: leave the password out of the URL.*GATEWAY_REDIS_PASSWORD/);
  t.notMatch(stderr, 'hidden');
});

t.test('a role claim for JWTs that nothing else describes is refused', async (t) => {
  const environment = { GATEWAY_ADMIN_JWT_ROLE_CLAIM: 'groups' };
  const { code, stderr } = await runGatewayCommand(['start'], environment, 30_000);
  t.equal(code, 1);
  t.match(stderr, /^error: GATEWAY_ADMIN_JWT_ROLE_CLAIM says nothing without GATEWAY_ADMIN_JWT_ISSUER/);
});
