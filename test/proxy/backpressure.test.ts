/** Who does not read makes the sender wait: nothing piles up in the gateway, and nothing is lost. */
import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { PiecewiseSender } from './piecewise-sender.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

const SIZE_BYTES = 200_000_000;
const MOST_GROWTH_BYTES = 100_000_000;

const BODY = Buffer.concat(Array.from({ length: 20 }, () => randomBytes(SIZE_BYTES / 20)));
const DIGEST = digestOf(BODY);

const proxy = await startScriptedClusters(t, { download: {}, upload: {} });

function digestOf(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}

t.test('an origin waits for a client that does not read', { timeout: 60_000 }, async (t) => {
  const origin = proxy.origin('download');
  const before = await proxy.residentBytes();
  const sending = Promise.withResolvers<PiecewiseSender>();
  origin.handler = (_, connection) => {
    connection.answerWithLength(SIZE_BYTES, {});
    const sink = {
      send: (bytes: Buffer) => connection.write(bytes),
      flushed: () => connection.flushed(),
    };
    sending.resolve(new PiecewiseSender(sink, BODY));
  };
  const client = await proxy.connect(t);
  client.stopReading();
  client.send(formatRequest('GET', '/download/'));
  const sender = await sending.promise;
  await sender.waitUntilStuck(proxy);
  const grown = (await proxy.residentBytes()) - before;
  t.ok(sender.sentBytes < SIZE_BYTES / 4, `the origin could send ${sender.sentBytes} bytes`);
  t.ok(grown < MOST_GROWTH_BYTES, `the worker has grown by ${grown} bytes`);
  client.resumeReading();
  const response = await client.readResponse({ limitMs: 30_000 });
  t.same([response.ended, digestOf(response.body)], ['complete', DIGEST]);
});

t.test('a client waits for an origin that does not read', { timeout: 60_000 }, async (t) => {
  const origin = proxy.origin('upload');
  const before = await proxy.residentBytes();
  const stopped = Promise.withResolvers<OriginConnection>();
  origin.handler = async (request, connection) => {
    connection.stopReading();
    stopped.resolve(connection);
    await request.ended;
    connection.answer({ body: digestOf(request.body) });
  };
  const client = await proxy.connect(t);
  client.send(formatRequest('PUT', '/upload/', { 'Content-Length': String(SIZE_BYTES) }));
  const sender = new PiecewiseSender(client, BODY);
  const connection = await stopped.promise;
  await sender.waitUntilStuck(proxy);
  const grown = (await proxy.residentBytes()) - before;
  t.ok(sender.sentBytes < SIZE_BYTES / 4, `the client could send ${sender.sentBytes} bytes`);
  t.ok(grown < MOST_GROWTH_BYTES, `the worker has grown by ${grown} bytes`);
  connection.resumeReading();
  const response = await client.readResponse({ limitMs: 30_000 });
  t.same([response.status, response.text], [200, DIGEST]);
});

t.test('no large body harms the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
});
