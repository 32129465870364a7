/** What a connection of a client makes of the gateway when the client misbehaves on it. */
import t from 'tap';
import { holdDeadPort } from '../helpers/dead-port.ts';
import { eventually } from '../helpers/eventually.ts';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { connect, formatRequest, type RawClient } from '../helpers/raw-client.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { someWorker } from '../helpers/worker-processes.ts';
import { PiecewiseSender } from './piecewise-sender.ts';
import { answerOk, outcome, type ProxiedOrigin, startProxiedOrigin } from './proxied-origin.ts';
import { createAuthority } from './tls/test-authority.ts';

const { certFile, keyFile } = await (await createAuthority(t)).issue();
const listensWithTls = {
  certificates: { 'a.test': { certFile, keyFile } },
  flags: ['--listen-tls', '127.0.0.1:0'],
};

const proxied = await startProxiedOrigin(t, {
  ...listensWithTls,
  routes: { all: {}, nobody: { cluster: 'nobody', match: { path: '/nobody' } } },
  clusters: { nobody: { destinations: { only: { url: `http://127.0.0.1:${await holdDeadPort(t)}` } } } },
});

/** The ways to a gateway, which reads them differently. */
const CONNECT: Record<string, (owner: TestOwner, to: ProxiedOrigin) => Promise<RawClient>> = {
  plainly: (owner, to) => to.connect(owner),
  'over TLS': async (owner, { gateway }) => {
    const { listenTls } = await gateway.waitForLog(({ msg }) => msg === 'gateway ready');
    const port = Number(/\d+$/.exec(String(listenTls))?.[0]);
    return connect(port, { owner, tls: { servername: 'a.test', rejectUnauthorized: false } });
  },
};

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

/** So much that it can stand in no buffer of the system, each as large as a head may be. */
const PIPELINED = Array.from({ length: 2_500 }, (_, index) => `/${index}`);
const PADDING = { 'X-Padding': 'x'.repeat(15_000) };

for (const [way, connectTo] of Object.entries(CONNECT)) {
  t.test(
    `who pipelines more ${way} than is read ahead has to wait, and gets every answer in order`,
    async (t) => {
      const client = await connectTo(t, proxied);
      const { promise: arrived, resolve: arrive } = Promise.withResolvers<OriginConnection>();
      proxied.origin.handler = (_, connection) => arrive(connection);
      client.send(formatRequest('GET', '/first'));
      const first = await arrived;
      proxied.origin.handler = (request, connection) => connection.answer({ body: request.target });
      const seen = proxied.origin.requests.length;
      const pipelined = Buffer.from(
        PIPELINED.map((target) => formatRequest('GET', target, PADDING)).join(''),
      );
      const sender = new PiecewiseSender(client, pipelined);
      await sender.waitUntilStuck(proxied);
      t.ok(sender.sentBytes < pipelined.length / 2, `the client could send ${sender.sentBytes} bytes`);
      t.equal(proxied.origin.requests.length, seen, 'one at a time is served');
      first.answer({ body: 'first' });
      t.equal((await client.readResponse()).text, 'first');
      const answers: string[] = [];
      for (const _ of PIPELINED) answers.push((await client.readResponse()).text);
      t.same(answers, PIPELINED);
      t.equal(client.unread.length, 0);
      t.equal(client.connectionEnd, null);
      proxied.origin.handler = answerOk;
    },
  );

  t.test(
    `a client that closes ${way} in the middle of a head gets no answer, and nothing is left of it`,
    async (t) => {
      for (const before of ['', formatRequest('GET', '/before')])
        for (const beginning of ['\r\n', 'G', 'GET /never HTTP/1.1\r\nHost: localhost\r\n']) {
          const client = await connectTo(t, proxied);
          client.send(before);
          if (before !== '') t.equal((await client.readResponse()).text, 'ok');
          const seen = proxied.origin.requests.length;
          client.send(beginning);
          client.end();
          t.equal(await client.waitForClose(), 'closed');
          t.equal(client.unread.toString(), '');
          t.equal(proxied.origin.requests.length, seen);
        }
      t.equal((await proxied.exchange(formatRequest('GET', '/after'))).response.text, 'ok');
    },
  );
}

for (const [way, connectTo] of Object.entries(CONNECT)) {
  t.test(`a body that nobody takes ${way} does not keep the next request from being read`, async (t) => {
    const bodies: [fields: Record<string, string>, body: string][] = [
      [{}, 'body'],
      [{ 'Transfer-Encoding': 'chunked' }, '4\r\nbody\r\n0\r\n\r\n'],
    ];
    for (const [fields, body] of bodies) {
      const client = await connectTo(t, proxied);
      client.send(formatRequest('POST', '/nobody', fields, body));
      t.equal((await client.readResponse()).status, 502);
      // Answered before it has said whether it wants the body, which has been sent all the same.
      client.send(formatRequest('POST', '/expecting', { ...fields, Expect: '100-continue' }, body));
      t.equal((await client.readResponse()).text, 'ok');
      client.send(formatRequest('GET', '/behind'));
      t.equal((await client.readResponse()).text, 'ok');
      client.end();
      t.equal(await client.waitForClose(), 'closed');
    }
  });
}

t.test(
  'a client that goes while all of its body waits is noticed, and its request goes no further',
  async (t) => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<OriginConnection>();
    proxied.origin.handler = (_, connection) => arrive(connection);
    const holding = await proxied.connect(t);
    holding.send(formatRequest('GET', '/holding'));
    const held = await arrived;
    proxied.origin.handler = answerOk;
    const seen = proxied.origin.requests.length;
    // The pool has one connection.
    const going = await proxied.connect(t);
    going.send(formatRequest('PUT', '/going', {}, 'body'));
    await eventually(() => mustBeUnderWay(2));
    going.reset();
    await eventually(() => mustBeUnderWay(1));
    held.answer({ body: 'ok' });
    t.equal((await holding.readResponse()).text, 'ok');
    await proxied.request(formatRequest('GET', '/after'));
    t.same(
      proxied.origin.requests.slice(seen).map(({ target }) => target),
      ['/after'],
    );
  },
);

/** @throws Error where it is another number of requests to the origin */
async function mustBeUnderWay(count: number): Promise<void> {
  const metrics = await proxied.gateway.metrics();
  const found = metrics.get('gateway_requests_in_flight{cluster="main",route="all"}');
  if (found !== count) throw new Error(`${found} requests are under way, not ${count}`);
}

t.test('a slow head gets 408, on a kept connection too', async (t) => {
  const impatient = await startProxiedOrigin(t, {
    ...listensWithTls,
    flags: [...listensWithTls.flags, '--headers-timeout-ms', '500'],
  });
  const clients: RawClient[] = [];
  for (const connectTo of Object.values(CONNECT))
    for (const before of ['', formatRequest('GET', '/before')]) {
      const client = await connectTo(t, impatient);
      client.send(before);
      if (before !== '') t.equal((await client.readResponse()).text, 'ok');
      client.send('\r\nGET /never HTTP/1.1\r\nHost: loc');
      clients.push(client);
    }
  const seen = impatient.origin.requests.length;
  for (const client of clients) {
    const response = await client.readResponse();
    t.same(outcome(response), [408, 'GW_ERR_REQUEST_TIMEOUT']);
    t.equal(response.header('connection'), 'close');
    // What comes late is not read any more.
    client.send(`alhost\r\n\r\n${formatRequest('GET', '/late')}`);
    await client.waitForClose();
    t.equal(client.unread.length, 0);
  }
  t.equal(impatient.origin.requests.length, seen);
});
