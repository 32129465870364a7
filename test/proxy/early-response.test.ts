/** Origins that answer before they have the whole request: the client gets that answer. */
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

const proxy = await startScriptedClusters(t, {
  refused: {},
  unread: {},
  patient: {},
  redirected: {},
  both: {},
  closing: {},
});

/** More than the kernel takes for a connection that nobody reads, so that the client is always still sending. */
const BODY = Buffer.alloc(40_000_000, 'x');
const head = (cluster: string) =>
  formatRequest('POST', `/${cluster}/`, { 'Content-Length': String(BODY.length) });

t.test('an answer in the middle of an upload reaches a client that goes on sending', async (t) => {
  const origin = proxy.origin('refused');
  for (let round = 0; round < 5; round++) {
    const answered = Promise.withResolvers<OriginConnection>();
    origin.handler = (request, connection) => {
      const answer = (): void => {
        if (request.body.length < 10_000) return void setImmediate(answer);
        connection.stopReading();
        connection.answer({
          status: 413,
          headers: { Connection: 'close' },
          body: 'too large, says the origin',
        });
        connection.close();
        answered.resolve(connection);
      };
      answer();
    };
    const client = await proxy.connect(t);
    client.send(head('refused'));
    client.send(BODY.subarray(0, 10_000));
    const connection = await answered.promise;
    client.send(BODY.subarray(10_000));
    const response = await client.readResponse();
    t.same([response.status, response.text, response.ended], [413, 'too large, says the origin', 'complete']);
    t.equal(response.header('connection'), 'close', 'what is still sent must not be read as a request');
    await client.waitForClose();
    // Only who reads learns that the connection is gone.
    connection.resumeReading();
    await origin.waitForConnections(0);
  }
});

t.test('an origin may answer without reading the body', async (t) => {
  const origin = proxy.origin('unread');
  const answered = Promise.withResolvers<OriginConnection>();
  origin.handler = (_, connection) => {
    connection.stopReading();
    connection.answer({ status: 401, body: 'who are you?' });
    answered.resolve(connection);
  };
  const client = await proxy.connect(t);
  client.send(head('unread'));
  client.send(BODY);
  const response = await client.readResponse();
  t.same([response.status, response.text, response.ended], [401, 'who are you?', 'complete']);
  await client.waitForClose();
  // Only who reads learns that the connection is gone.
  (await answered.promise).resumeReading();
  await origin.waitForConnections(0);
});

t.test('a client that waits for the answer before it sends the rest gets it', async (t) => {
  const origin = proxy.origin('patient');
  origin.handler = (_, connection) => connection.answer({ status: 403, body: 'no' });
  const client = await proxy.connect(t);
  client.send(head('patient'));
  client.send('begun');
  const response = await client.readHead();
  t.equal(response.status, 403);
  await client.readBodyUntil('no');
  t.equal(await client.waitForClose(), 'closed');
});

t.test('response and request may go on side by side', async (t) => {
  const origin = proxy.origin('both');
  origin.handler = async (request, connection) => {
    connection.beginChunked();
    connection.writeChunk('begun ');
    await request.ended;
    connection.writeChunk(`after ${request.body.length} bytes`);
    connection.endChunked();
  };
  const client = await proxy.connect(t);
  client.send(formatRequest('POST', '/both/', { 'Content-Length': '100000' }, 'x'));
  await client.readHead();
  await client.readBodyUntil('begun');
  client.send('x'.repeat(99_999));
  const response = await client.readResponse();
  t.same([response.text, response.ended], ['begun after 100000 bytes', 'complete']);
});

t.test('the origin is not sent a body that it does not want any more', async (t) => {
  const origin = proxy.origin('closing');
  origin.handler = (_, connection) => connection.answer({ status: 400, body: 'no' });
  const client = await proxy.connect(t);
  client.send(head('closing'));
  client.send('begun');
  await client.readHead();
  const [request] = origin.requests;
  t.not(await request?.ended, 'complete', 'its connection is closed instead');
  client.send('GET /closing/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await client.waitForClose();
  t.equal(origin.requests.length, 1, 'and nothing behind it is taken for a request');
});

t.test('no early answer harms the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
});
