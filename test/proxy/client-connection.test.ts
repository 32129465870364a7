/** What a connection of a client makes of the gateway when the client misbehaves on it. */
import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { someWorker } from '../helpers/worker-processes.ts';
import { answerOk, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t);

t.test(
  'a client that has reset its connection before the worker saw it: no request of nobody goes on',
  async (t) => {
    const workerPid = someWorker(proxied.gateway);
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
  'bytes that are no HTTP behind a request whose answer has begun: that is finished, and they are refused',
  async (t) => {
    for (const queued of ['', formatRequest('GET', '/queued')]) {
      const client = await proxied.connect(t);
      const { promise: begun, resolve: begin } = Promise.withResolvers<() => void>();
      proxied.origin.handler = (request, connection) => {
        if (request.target === '/queued') {
          answerOk(request, connection);
          return;
        }
        connection.answerWithLength(10, { body: 'first' });
        begin(() => connection.write('-last'));
      };
      const seen = proxied.origin.requests.length;
      client.send(formatRequest('GET', '/first'));
      const complete = await begun;
      await client.readHead();
      client.send(`${queued}no HTTP at all\r\n\r\n`);
      await client.flushed();
      // The worker is asked in between, so that it has read what stands above.
      await proxied.gateway.metrics();
      complete();
      const response = await client.readResponse();
      t.equal(response.text, 'first-last');
      t.equal(response.ended, 'complete');
      if (queued !== '') t.equal((await client.readResponse()).text, 'ok');
      t.equal((await client.readResponse()).status, 400);
      await client.waitForClose();
      t.equal(client.unread.length, 0);
      t.equal(proxied.origin.requests.length, seen + (queued === '' ? 1 : 2));
    }
    proxied.origin.handler = answerOk;
  },
);

t.test('what trailers say of the connection means nothing (RFC 9110 §6.5.1)', async (t) => {
  proxied.origin.handler = async (request, connection) => {
    await request.ended;
    // Not before the worker has read what stands behind the request too.
    await proxied.gateway.metrics();
    connection.answer({ body: request.target });
  };
  const client = await proxied.connect(t);
  const head = 'POST /first HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
  client.send(`${head}3\r\nabc\r\n0\r\nConnection: close\r\n\r\n${formatRequest('GET', '/behind')}`);
  t.equal((await client.readResponse()).text, '/first');
  t.equal((await client.readResponse()).text, '/behind');
  t.equal(client.connectionEnd, null);
  proxied.origin.handler = answerOk;
});
