/** Flags, environment variables and defaults of `gateway start`. */
import { join } from 'node:path';
import t from 'tap';
import { runGatewayCommand } from '../helpers/gateway-command.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { get } from '../helpers/worker-processes.ts';

/** Generous, for machines that have a lot else to do. */
const LIMIT_MS = 60_000;

const state = join(await createTemporaryDirectory(t), 'state');

t.test('settings that cannot work: exit code 1 and one line that names the flag', async (t) => {
  const cases: [flag: string, value: string, hint: RegExp][] = [
    ['--listen', 'nonsense', /HOST:PORT/],
    ['--listen', '127.0.0.1', /HOST:PORT/],
    ['--listen', '127.0.0.1:65536', /HOST:PORT/],
    ['--listen', '::1:8080', /HOST:PORT/],
    ['--admin', '127.0.0.1:-1', /HOST:PORT/],
    ['--workers', '0', /1 to 1024/],
    ['--workers', '1.5', /1 to 1024/],
    ['--workers', 'many', /1 to 1024/],
    ['--access-log', '2', /from 0 to 1/],
    ['--access-log', 'sometimes', /on, off/],
    ['--log-level', 'loud', /trace, debug, info, warn, error/],
    ['--drain-timeout-ms', '-1', /0 to 3600000/],
    ['--trusted-proxies', 'rubbish', /rubbish/],
    ['--trusted-proxies', '10.0.0.0/33', /10\.0\.0\.0\/33/],
    ['--allow-addresses', '169.254.0.0/99', /169\.254\.0\.0\/99/],
    ['--allow-addresses', 'metadata.internal', /metadata\.internal/],
    ['--admin', '0.0.0.0:0', /--allow-remote-admin/],
    ['--admin', ':0', /--allow-remote-admin/],
    ['--admin', '[::]:0', /--allow-remote-admin/],
  ];
  const results = await Promise.all(
    cases.map(([flag, value]) => runGatewayCommand(['start', '--state', state, flag, value], {}, LIMIT_MS)),
  );
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    const [flag, value, hint] = cases[index] ?? ['', '', /$/];
    const [line = '', ...rest] = stderr.trimEnd().split('\n');
    t.same([code, stdout], [1, ''], `${flag} ${value}`);
    t.match(line, flag);
    t.match(line, hint);
    // Nothing but where to find out more.
    t.ok(
      rest.every((other) => other === '' || other === '(gateway --help shows what there is)'),
      stderr,
    );
  }
});

t.test('a flag goes before the environment, which goes before the default', async (t) => {
  const gateway = await startGateway(t, {
    workers: 2,
    environment: {
      GATEWAY_WORKERS: '7',
      GATEWAY_INSTANCE: 'from-environment',
      GATEWAY_ACCESS_LOG: 'off',
      GATEWAY_LISTEN: 'nonsense that the flag covers:0',
    },
    listen: '127.0.0.2:0',
  });
  const ready = gateway.logs.find(({ msg }) => msg === 'gateway ready');
  t.match(ready, { workers: 2, instance: 'from-environment', listen: /^127\.0\.0\.2:\d+$/ });
});

t.test('the environment alone', async (t) => {
  const bad = await runGatewayCommand(['start', '--state', state], { GATEWAY_WORKERS: 'none' }, LIMIT_MS);
  t.equal(bad.code, 1);
  t.match(bad.stderr, /GATEWAY_WORKERS|--workers/);
  const missing = join(state, 'from-environment.yaml');
  const file = await runGatewayCommand(['start', '--state', state], { GATEWAY_CONFIG: missing }, LIMIT_MS);
  t.equal(file.code, 1);
  t.match(file.stderr, missing);
});

t.test('an admin address for others has to be asked for', async (t) => {
  const gateway = await startGateway(t, {
    admin: '0.0.0.0:0',
    flags: ['--allow-remote-admin'],
    listen: '[::1]:0',
  });
  t.equal((await get(gateway.adminPort, '/healthz')).status, 200);
  t.match(gateway.logs.find(({ msg }) => msg === 'gateway ready')?.listen, /^\[::1\]:\d+$/);
});

t.test('the log level holds for all processes', async (t) => {
  const stateDirectory = join(await createTemporaryDirectory(t), 'state');
  const words = [
    ...['--state', stateDirectory, '--log-level', 'silent', '--listen', '127.0.0.1:0'],
    ...['--admin', '127.0.0.1:0', '--config', join(stateDirectory, 'missing.yaml')],
  ];
  const result = await runGatewayCommand(['start', ...words], {}, LIMIT_MS);
  t.same([result.code, result.stdout], [1, '']);
});
