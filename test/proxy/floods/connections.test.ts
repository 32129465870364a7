/** How many connections there may be, in all and of one address: exact over several workers, whatever becomes of them. */
import t, { type Test } from 'tap';
import { createCertificate } from '../../helpers/certificate.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type GatewayProcess, startGateway } from '../../helpers/gateway-process.ts';
import { type ClientOptions, connect, formatRequest, type RawClient } from '../../helpers/raw-client.ts';
import { startOrigin } from '../../helpers/scripted-origin.ts';
import { someWorker, waitForWorkers } from '../../helpers/worker-processes.ts';

const TOTAL = 12;
const PER_ADDRESS = 5;
const TRUSTED = '127.0.0.9';

const origin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner: t });
const certificate = await createCertificate(t);
const config = {
  clusters: { main: { destinations: { only: { url: origin.url } } } },
  certificates: { localhost: { certFile: certificate.certFile, keyFile: certificate.keyFile } },
  routes: { all: { match: {}, cluster: 'main' } },
};
const flags = [
  ...['--max-connections', String(TOTAL), '--max-connections-per-address', String(PER_ADDRESS)],
  ...['--trusted-proxies', TRUSTED, '--listen-tls', '127.0.0.1:0'],
];
const gateway = await startGateway(t, { config, flags, workers: 2, accessLog: 'off' });
const TLS: ClientOptions['tls'] = { ca: certificate.ca, servername: 'localhost' };

function tlsPortOf({ logs }: GatewayProcess): number {
  const ready = logs.find(({ msg }) => msg === 'gateway ready');
  return Number(/:(\d+)$/.exec(String(ready?.listenTls))?.[1]);
}

/**
 * Whether a connection ended before a byte came back. A reset looks like an end to who reads after a write has had the
 * error, and TLS then words it in its own way, under the same code.
 */
function isRefusal({ code = '', message }: NodeJS.ErrnoException): boolean {
  return (
    code === 'ECONNRESET' || code === 'EPIPE' || /connection (reset|closed), 0 bytes received/.test(message)
  );
}

/** Opens a connection and uses it; null where the gateway does not take it. */
async function tryOpen(t: Test, options: ClientOptions = {}, port = gateway.port): Promise<RawClient | null> {
  try {
    const client = await connect(options.tls === undefined ? port : tlsPortOf(gateway), {
      owner: t,
      ...options,
    });
    client.send(formatRequest('GET', '/'));
    const { status } = await client.readResponse();
    if (status !== 200) throw new Error(`status ${status}`);
    return client;
  } catch (error) {
    if (!isRefusal(error as NodeJS.ErrnoException)) throw error;
    return null;
  }
}

/** Opens so many connections as soon as there is room for them, and makes sure that there is for no more. */
async function fill(t: Test, count: number, options: ClientOptions = {}): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    const client = await eventually(async () => {
      const opened = await tryOpen(t, options);
      if (opened === null) throw new Error(`${clients.length} connections fit instead of ${count}`);
      return opened;
    });
    clients.push(client);
  }
  if ((await tryOpen(t, options)) !== null) throw new Error(`more than ${count} connections fit`);
  return clients;
}

/** Waits until as many connections may be opened as of an empty gateway, in all and of one address. */
async function expectEmpty(t: Test): Promise<void> {
  for (const client of await fill(t, TOTAL, { localAddress: TRUSTED })) client.close();
  for (const client of await fill(t, PER_ADDRESS)) client.close();
}

t.test('one address gets so many, exactly, and another still its own', async (t) => {
  const clients = [
    ...(await fill(t, PER_ADDRESS)),
    ...(await fill(t, PER_ADDRESS, { localAddress: '127.0.0.2' })),
    // What is left of all.
    ...(await fill(t, TOTAL - 2 * PER_ADDRESS, { localAddress: '127.0.0.3' })),
  ];
  const metrics = await gateway.metrics();
  t.equal(metrics.get('gateway_connections_refused_total'), 3);
  const perWorker = [...metrics].filter(([name]) => name.startsWith('gateway_worker_connections'));
  t.same(
    perWorker.map(([, value]) => value),
    [TOTAL / 2, TOTAL / 2],
  );
  for (const client of clients) t.equal(client.connectionEnd, null);
});

t.test('a trusted proxy may have as many as there are', async (t) => {
  await expectEmpty(t);
  t.equal((await fill(t, TOTAL, { localAddress: TRUSTED })).length, TOTAL);
});

for (const [what, options, leave] of [
  ['closed', {}, (client: RawClient) => client.close()],
  ['half-closed', {}, (client: RawClient) => client.end()],
  ['reset', {}, (client: RawClient) => client.reset()],
  ['closed, over TLS', { tls: TLS }, (client: RawClient) => client.close()],
] satisfies [string, ClientOptions, (client: RawClient) => void][]) {
  t.test(`a connection that is ${what} makes room for one`, async (t) => {
    const clients = await fill(t, PER_ADDRESS, options);
    for (const client of clients.splice(0, 2)) leave(client);
    clients.push(...(await fill(t, 2, options)));
    t.same(
      clients.map(({ connectionEnd }) => connectionEnd),
      new Array(PER_ADDRESS).fill(null),
    );
    for (const client of clients) leave(client);
    await expectEmpty(t);
  });
}

t.test('a connection that the gateway closes, or that fails in its handshake, does not count', async (t) => {
  for (let count = 0; count < 3 * PER_ADDRESS; count += 1) {
    await eventually(async () => {
      const client = await connect(gateway.port, { owner: t });
      client.send(formatRequest('GET', '/', { Connection: 'close' }));
      await client.readResponse();
    });
  }
  for (let count = 0; count < 3 * PER_ADDRESS; count += 1) {
    const client = await connect(tlsPortOf(gateway), { owner: t }).catch(() => null);
    client?.send('no TLS at all\r\n\r\n');
    await client?.waitForClose();
  }
  await expectEmpty(t);
});

t.test('connections of a worker that dies do not count', async (t) => {
  const clients = await fill(t, PER_ADDRESS);
  const workerPid = someWorker(gateway);
  const again = waitForWorkers(gateway, 1);
  process.kill(workerPid, 'SIGKILL');
  await again;
  const left = () => clients.filter(({ connectionEnd }) => connectionEnd === null);
  await eventually(() => {
    if (left().length === PER_ADDRESS) throw new Error('no connection has ended');
  });
  t.ok(left().length > 0, 'the other worker keeps its own');
  await fill(t, PER_ADDRESS - left().length);
});

t.test('connections of workers that are replaced do not count', async (t) => {
  await fill(t, PER_ADDRESS);
  const restarted = gateway.waitForNextLog(({ msg }) => msg === 'workers restarted', 30_000);
  gateway.signal('SIGHUP');
  await restarted;
  await expectEmpty(t);
});

t.test('a flood of one address leaves room for another', async (t) => {
  await expectEmpty(t);
  const flood = Array.from({ length: 300 }, () => tryOpen(t, { localAddress: '127.0.0.2' }));
  const got = (await Promise.all(flood)).filter((client) => client !== null);
  t.equal(got.length, PER_ADDRESS);
  await fill(t, PER_ADDRESS);
});

t.test('by IPv6 the limit holds as well', async (t) => {
  const limits = ['--max-connections-per-address', '2'];
  const other = await startGateway(t, {
    config,
    flags: limits,
    listen: '[::1]:0',
    workers: 2,
    accessLog: 'off',
  });
  const opened: boolean[] = [];
  for (let count = 0; count < 3; count += 1)
    opened.push((await tryOpen(t, { host: '::1' }, other.port)) !== null);
  t.same(opened, [true, true, false]);
});
