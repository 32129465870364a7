/** Clients that send or read too slowly, told from those that are only slow; the clock is the test's own. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t from 'tap';
import { ClientPace } from '../../lib/proxy/client-pace.ts';
import { eventually } from '../helpers/eventually.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

const LOOK_MS = 250;
const RATE = 240;
const PIECE_BYTES = 65_536;

/** Both ends of one connection: the client's, and the server's, which is watched. */
async function openPair(owner: TestOwner): Promise<{ client: Socket; server: Socket }> {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [server] = (await once(listener, 'connection')) as [Socket];
  owner.teardown(() => {
    client.destroy();
    server.destroy();
    listener.close();
  });
  return { client, server };
}

/** Looks several times a second, and gives when the client was found too slow; -1 where it was not. */
function look(
  pace: ClientPace,
  isSending: boolean,
  allIsWritten: boolean,
  fromMs: number,
  untilMs: number,
): number {
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += LOOK_MS)
    if (pace.isTooSlow(isSending, allIsWritten, nowMs)) return nowMs - fromMs;
  return -1;
}

/** Writes until the system takes nothing more, as the client does not read. */
async function fillBuffers({ client, server }: { client: Socket; server: Socket }): Promise<void> {
  client.pause();
  const piece = Buffer.alloc(PIECE_BYTES);
  while (server.write(piece) || server.writableLength < 10 * piece.length)
    await new Promise((resolve) => setImmediate(resolve));
  let before = -1;
  await eventually(() => {
    const now = server.bytesWritten - server.writableLength;
    const isStuck = now === before;
    before = now;
    if (!isStuck) throw new Error('the system still takes bytes');
  });
}

t.test('a client that sends nothing is too slow after five seconds, if it is waited for', async (t) => {
  const { server } = await openPair(t);
  t.equal(look(new ClientPace(server, RATE), true, false, 0, 60_000), 5_000);
  t.equal(look(new ClientPace(server, RATE), false, false, 0, 600_000), -1);
  t.equal(look(new ClientPace(server, 0), true, false, 0, 600_000), -1, 'or if any pace will do');
});

t.test('what is sent to a client does not speed up what it sends', async (t) => {
  const { client, server } = await openPair(t);
  const pace = new ClientPace(server, RATE);
  t.equal(look(pace, true, false, 0, 4_000), -1);
  client.resume();
  server.write(Buffer.alloc(100_000));
  await eventually(() => {
    if (client.bytesRead < 100_000) throw new Error('not read yet');
  });
  t.equal(look(pace, true, false, 4_000, 60_000), 1_000);
});

t.test('a client that sends the minimum is not too slow', async (t) => {
  const { client, server } = await openPair(t);
  server.resume();
  const pace = new ClientPace(server, RATE);
  for (let window = 0; window < 5; window += 1) {
    t.equal(look(pace, true, false, window * 5_000, (window + 1) * 5_000), -1, `window ${window}`);
    const sent = server.bytesRead + 5 * RATE;
    client.write(Buffer.alloc(5 * RATE));
    await eventually(() => {
      if (server.bytesRead < sent) throw new Error('not there yet');
    });
  }
});

t.test('a client that reads nothing for a minute is too slow, whether more is to come or not', async (t) => {
  const pair = await openPair(t);
  await fillBuffers(pair);
  const pace = new ClientPace(pair.server, RATE);
  t.ok(pace.isReading);
  t.equal(look(pace, false, false, 0, 600_000), 60_000);
  t.equal(look(new ClientPace(pair.server, 0), false, false, 0, 600_000), -1, 'unless any pace will do');
  t.ok(look(new ClientPace(pair.server, 0), false, true, 0, 600_000) > 60_000, 'but not for ever');
});

/** Takes about so many bytes from the connection, and then reads no more. */
async function readSome(client: Socket, bytes: number): Promise<void> {
  const wanted = client.bytesRead + bytes;
  while (client.bytesRead < wanted) {
    client.resume();
    await once(client, 'data');
    client.pause();
  }
}

t.test(
  'a client that reads steadily is not too slow, though the system says so in large steps',
  async (t) => {
    const pair = await openPair(t);
    await fillBuffers(pair);
    const { client, server } = pair;
    const pace = new ClientPace(server, RATE);
    let longestSilenceMs = 0;
    let [nowMs, lastStepMs, seenBytes] = [0, 0, server.bytesWritten - server.writableLength];
    // A piece every half second of the clock, 128 kB a second: the system's steps of one or two megabytes then take
    // a quarter of the minute, however busy the machine is.
    for (let count = 0; count < 150; count += 1) {
      await readSome(client, PIECE_BYTES);
      server.write(Buffer.alloc(PIECE_BYTES));
      t.equal(look(pace, false, false, nowMs, nowMs + 500), -1, `after ${nowMs} ms`);
      nowMs += 500;
      const bytes = server.bytesWritten - server.writableLength;
      if (bytes !== seenBytes) [lastStepMs, seenBytes] = [nowMs, bytes];
      longestSilenceMs = Math.max(longestSilenceMs, nowMs - lastStepMs);
    }
    t.ok(longestSilenceMs > 5_000, `it looked as if it read nothing for ${longestSilenceMs} ms`);
  },
);

t.test('a client that has all of a long answer to wait for is not reading', async (t) => {
  const { server } = await openPair(t);
  const pace = new ClientPace(server, RATE);
  t.equal(look(pace, false, false, 0, 600_000), -1);
  t.equal(pace.isReading, false);
});
