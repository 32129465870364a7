/** What holds for every connection holds over TLS: keep-alive, WebSockets, broken answers, draining. */
import { once } from 'node:events';
import t from 'tap';
import { type ClientOptions, WebSocket } from 'ws';
import { connect, formatRequest } from '../../helpers/raw-client.ts';
import { echo, startEchoOrigin } from '../websocket-peers.ts';
import { startSecureGateway } from './secure-gateway.ts';
import { createAuthority } from './test-authority.ts';

const authority = await createAuthority(t);
const server = await authority.issue();
const certificates = { 'a.test': { certFile: server.certFile, keyFile: server.keyFile } };
const gateway = await startSecureGateway(t, certificates);

t.test('requests follow each other on one connection, pipelined ones too', async (t) => {
  const client = await gateway.connect('a.test');
  for (let count = 0; count < 3; count += 1) {
    client.send(formatRequest('POST', '/', { Host: 'a.test' }, 'a body'));
    t.equal((await client.readResponse()).header('connection'), 'keep-alive');
  }
  client.send(formatRequest('GET', '/one', { Host: 'a.test' }).repeat(3));
  for (let count = 0; count < 3; count += 1) t.equal((await client.readResponse()).status, 200);
  t.equal(await gateway.handshakes('full'), 1);
});

t.test('an answer that breaks off ends in a reset, not as if it were whole', async (t) => {
  gateway.origin.handler = (_, connection) => {
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n');
    connection.destroy();
  };
  const client = await gateway.connect('a.test');
  client.send(formatRequest('GET', '/', { Host: 'a.test' }));
  const response = await client.readResponse();
  t.equal(response.ended, 'reset');
});

t.test('large bodies go both ways whole', async (t) => {
  gateway.origin.handler = (request, connection) => {
    void request.ended.then(() => connection.answer({ body: request.text }));
  };
  const client = await gateway.connect('a.test');
  const body = 'x'.repeat(3_000_000);
  client.send(formatRequest('POST', '/', { Host: 'a.test' }, body));
  t.equal((await client.readResponse()).text.length, body.length);
});

t.test('bytes that are no HTTP get 400, a head that is too large 431', async (t) => {
  for (const [text, status] of [
    ['nonsense\r\n\r\n', 400],
    [formatRequest('GET', '/', { Host: 'a.test', 'X-Large': 'x'.repeat(40_000) }), 431],
  ] as const) {
    const client = await gateway.connect('a.test');
    client.send(text);
    t.equal((await client.readResponse()).status, status);
    await client.waitForClose();
  }
});

t.test('WebSockets work, and get a goodbye when the gateway drains', async (t) => {
  const origin = await startEchoOrigin(t);
  const gateway = await startSecureGateway(t, certificates, { originUrl: origin.url });
  const socket = new WebSocket(`wss://127.0.0.1:${gateway.port}/`, {
    rejectUnauthorized: false,
    servername: 'a.test',
    headers: { Host: 'a.test' },
  } as ClientOptions);
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  t.equal(await echo(socket, 'hello'), 'hello');
  t.equal(origin.opened[0]?.request.headers['x-forwarded-proto'], 'https');
  const closed = once(socket, 'close');
  gateway.gateway.signal('SIGTERM');
  t.equal((await closed)[0], 1001);
  t.same(await gateway.gateway.exited, { code: 0, signal: null });
});

t.test(
  'a drain lets answers finish, closes idle connections and half handshakes, and ends with 0',
  async (t) => {
    const gateway = await startSecureGateway(t, certificates);
    const answers: (() => void)[] = [];
    gateway.origin.handler = (_, connection) => answers.push(() => connection.answer({ body: 'late' }));
    const waiting = await gateway.connect('a.test');
    waiting.send(formatRequest('GET', '/', { Host: 'a.test' }));
    await gateway.origin.waitForRequests(1);
    const idle = await gateway.connect('a.test');
    const half = await connect(gateway.port, { owner: t });
    half.send('\x16\x03\x01');
    await half.flushed();
    const draining = gateway.gateway.waitForLog(({ msg }) => msg === 'gateway drains');
    gateway.gateway.signal('SIGTERM');
    await draining;
    await Promise.all([idle.waitForClose(), half.waitForClose()]);
    for (const answer of answers) answer();
    const response = await waiting.readResponse();
    t.same([response.status, response.text, response.header('connection')], [200, 'late', 'close']);
    t.same(await gateway.gateway.exited, { code: 0, signal: null });
  },
);

t.test('a rolling restart under TLS traffic fails no request', async (t) => {
  const gateway = await startSecureGateway(t, certificates, { workers: 2 });
  const failures: string[] = [];
  let stopping = false;
  const ask = async () => {
    while (!stopping) {
      const answer = await gateway.request('a.test').catch((error: Error) => error);
      if (answer instanceof Error) failures.push(answer.message);
      else if (answer.status !== 200) failures.push(String(answer.status));
    }
  };
  const asking = [ask(), ask()];
  const served = () => gateway.gateway.logs.filter(({ msg }) => msg === 'worker serves').length;
  const replaced = gateway.gateway.waitForLog(() => served() >= 4, 30_000);
  gateway.gateway.signal('SIGHUP');
  await replaced;
  stopping = true;
  await Promise.all(asking);
  t.same(failures, []);
});
