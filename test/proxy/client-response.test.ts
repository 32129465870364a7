/** What a client gets of pieces that are valid while they are passed on, and no longer. */
import type { Socket } from 'node:net';
import t from 'tap';
import type { ClientResponse } from '../../lib/proxy/client-response.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { startResponseServer } from './response-server.ts';

/** What it lends is written over as soon as it is passed on. */
const LENDER = { hold: (piece: Buffer) => Buffer.from(piece), release() {} };

t.test('a borrowed piece is not read again after it was passed on', async (t) => {
  for (const size of [100, 5_000, 10_000, 100_000]) {
    for (const headers of [[], ['content-length', String(2 * size)]]) {
      const port = await startResponseServer(t, 0, (answer) => {
        answer.writeHead(200, 'OK', headers, 'id', null, null, false);
        const piece = Buffer.alloc(size);
        for (const letter of 'ab') {
          piece.fill(letter);
          answer.writeData(piece, LENDER);
          piece.fill('x');
        }
        answer.end();
      });
      const client = await connect(port, { owner: t });
      client.send(formatRequest('GET', '/'));
      const { text } = await client.readResponse();
      t.ok(text === 'a'.repeat(size) + 'b'.repeat(size), `${size} bytes, ${headers.join(': ')}`);
    }
  }
});

t.test('what is told of the end comes when all has left, and once', async (t) => {
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  const port = await startResponseServer(t, 0, (answer) => {
    answer.writeHead(200, 'OK', [], 'id', null, null, false);
    for (let count = 0; count < 100; count += 1) answer.writeData(Buffer.alloc(100_000, 'a'), null);
    answer.end();
    t.equal(answer.finished, false, 'the client has not read it');
    answer.end();
    const look = () => (answer.finished ? finish() : setImmediate(look));
    look();
  });
  const client = await connect(port, { owner: t });
  client.send(formatRequest('GET', '/'));
  t.equal((await client.readResponse()).body.length, 10_000_000);
  await finished;
});

t.test('a client that does not read is not written to for ever, in small pieces neither', async (t) => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const port = await startResponseServer(t, 0, (answer) => {
    answer.writeHead(200, 'OK', [], 'id', null, null, false);
    let pieces = 0;
    do {
      pieces += 1;
      answer.flush();
    } while (answer.writeData(Buffer.alloc(8_000, 'a'), null) && pieces < 10_000);
    resolve(pieces);
  });
  const client = await connect(port, { owner: t });
  client.stopReading();
  client.send(formatRequest('GET', '/'));
  t.ok((await promise) < 10_000, 'there comes a time to wait');
});

t.test('a connection that breaks before all has left is no end', async (t) => {
  const { promise, resolve } = Promise.withResolvers<[ClientResponse, Socket]>();
  const port = await startResponseServer(t, 0, (answer, { socket }) => {
    answer.writeHead(200, 'OK', [], 'id', null, null, false);
    for (let count = 0; count < 100; count += 1) answer.writeData(Buffer.alloc(100_000, 'a'), null);
    answer.end();
    resolve([answer, socket]);
  });
  const client = await connect(port, { owner: t });
  client.stopReading();
  client.send(formatRequest('GET', '/'));
  const [answer, socket] = await promise;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  client.reset();
  await closed;
  t.equal(answer.finished, false);
});

t.test('a connection that has been answered for the last time may not stand for ever', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const port = await startResponseServer(t, 0, (answer, connection) => {
    const overdueIn = (ms: number) => connection.isOverdue(performance.now() + ms);
    t.equal(overdueIn(1_000_000), false, 'the answer is under way');
    answer.writeHead(200, 'OK', ['content-length', '0'], 'id', null, null, true);
    answer.end();
    t.equal(overdueIn(5_000), false, 'its end may take a while');
    t.equal(overdueIn(10_001), true);
    resolve();
  });
  const client = await connect(port, { owner: t });
  client.send(formatRequest('GET', '/'));
  await promise;
  await client.waitForClose();
});
