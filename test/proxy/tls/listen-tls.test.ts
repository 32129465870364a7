/** The second port: its setting, and where it is shown. */
import t from 'tap';
import { runGatewayCommand } from '../../helpers/gateway-command.ts';
import { startGateway } from '../../helpers/gateway-process.ts';
import { request } from '../../helpers/raw-client.ts';
import { startOrigin } from '../../helpers/scripted-origin.ts';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';

const EMPTY = { clusters: {}, routes: {} };

t.test('without the setting there is no such port', async (t) => {
  const gateway = await startGateway(t, { config: EMPTY });
  const ready = gateway.logs.find(({ msg }) => msg === 'gateway ready');
  t.equal(ready?.listenTls, undefined);
});

t.test('it comes from the environment as well, and the ready line and the status show it', async (t) => {
  const stateDirectory = await createTemporaryDirectory(t);
  const gateway = await startGateway(t, {
    config: EMPTY,
    stateDirectory,
    environment: { GATEWAY_LISTEN_TLS: '127.0.0.1:0' },
  });
  const ready = gateway.logs.find(({ msg }) => msg === 'gateway ready');
  t.match(ready?.listenTls, /^127\.0\.0\.1:\d+$/);
  t.not(ready?.listenTls, ready?.listen);
  const status = await runGatewayCommand(
    ['status', '--admin-url', `http://127.0.0.1:${gateway.adminPort}`, '--json'],
    { GATEWAY_STATE: stateDirectory },
  );
  t.equal(JSON.parse(status.stdout).listenTls, ready?.listenTls);
});

t.test('a port that is taken ends the start with one line', async (t) => {
  const { port } = await startOrigin((_, connection) => connection.answer(), { owner: t });
  const directory = await createTemporaryDirectory(t);
  const { code, stderr } = await runGatewayCommand([
    ...['start', '--state', directory, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
    ...['--listen-tls', `127.0.0.1:${port}`],
  ]);
  t.equal(code, 1);
  t.match(stderr, `cannot listen on 127.0.0.1:${port} (EADDRINUSE)`);
  t.match(stderr, '--listen-tls');
});

t.test('the plain port serves as before', async (t) => {
  const gateway = await startGateway(t, { config: EMPTY, flags: ['--listen-tls', '127.0.0.1:0'] });
  const answer = await request(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.equal(answer.status, 404);
});
