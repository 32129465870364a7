/** What a connection of a client makes of the gateway when the client misbehaves on it. */
import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { listWorkers } from '../helpers/worker-processes.ts';
import { answerOk, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t);

t.test(
  'a client that has reset its connection before the worker saw it: no request of nobody goes on',
  async (t) => {
    const [workerPid = 0] = listWorkers(proxied.gateway).values();
    process.kill(workerPid, 'SIGSTOP');
    t.teardown(() => process.kill(workerPid, 'SIGCONT'));
    for (let count = 0; count < 5; count++) {
      const client = await proxied.connect(t);
      client.send(formatRequest('GET', '/blind'));
      await client.flushed();
      client.reset();
    }
    process.kill(workerPid, 'SIGCONT');
    const seen = proxied.origin.requests.length;
    // One after the other, so that a request of before would have gone first.
    for (let count = 0; count < 5; count++) await proxied.exchange(formatRequest('GET', '/seen'));
    const targets = proxied.origin.requests.slice(seen).map(({ target }) => target);
    t.same(targets, Array(5).fill('/seen'));
  },
);

t.test(
  'bytes that are no HTTP behind a request whose answer has begun: the connection ends with it',
  async (t) => {
    for (const broken of ['no HTTP at all\r\n\r\n', `${formatRequest('GET', '/queued')}no HTTP\r\n\r\n`]) {
      const client = await proxied.connect(t);
      const { promise: begun, resolve: begin } = Promise.withResolvers<() => void>();
      proxied.origin.handler = (_, connection) => {
        connection.answerWithLength(10, { body: 'first' });
        begin(() => connection.write('-last'));
      };
      client.send(formatRequest('GET', '/first'));
      const complete = await begun;
      await client.readHead();
      client.send(broken);
      await client.flushed();
      // The worker is asked in between, so that it has read what stands above.
      await proxied.gateway.metrics();
      complete();
      const response = await client.readResponse();
      t.equal(response.text, 'first-last');
      t.equal(response.ended, 'complete');
      await client.waitForClose();
      t.equal(client.unread.length, 0);
    }
    proxied.origin.handler = answerOk;
  },
);

t.test(
  'surplus behind a request whose trailers say `close`: the connection ends with its answer',
  async (t) => {
    proxied.origin.handler = async (request, connection) => {
      await request.ended;
      // Not before the worker has read the surplus too.
      await proxied.gateway.metrics();
      connection.answer({ body: 'ok' });
    };
    const client = await proxied.connect(t);
    const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
    const seen = proxied.origin.requests.length;
    client.send(`${head}3\r\nabc\r\n0\r\nConnection: close\r\n\r\n${formatRequest('GET', '/surplus')}`);
    t.equal((await client.readResponse()).text, 'ok');
    await client.waitForClose();
    t.equal(proxied.origin.requests.length, seen + 1);
    proxied.origin.handler = answerOk;
  },
);
