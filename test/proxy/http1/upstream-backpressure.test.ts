/** Who does not read makes the other side wait: the engine itself holds next to nothing. */
import { createHash, randomBytes } from 'node:crypto';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { createCertificate } from '../../helpers/certificate.ts';
import type { OriginConnection } from '../../helpers/origin-connection.ts';
import { type OriginHandler, startOrigin } from '../../helpers/scripted-origin.ts';
import { answerOk } from '../proxied-origin.ts';
import { createUpstream, HeldBody, outcomeOf, send } from './upstream-client.ts';

const SIZE_BYTES = 20_000_000;
const PIECE_BYTES = 50_000;
/** More than the engine may hold of a body: one read, or one piece beyond what the socket asks for. */
const MOST_HELD_BYTES = 262_144;

const BODY = randomBytes(SIZE_BYTES);
const PIECES = Array.from({ length: SIZE_BYTES / PIECE_BYTES }, (_, index) =>
  BODY.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
);
const DIGEST = digestOf(BODY);

function digestOf(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** The sockets that are connected from now on until the test is over. */
function watchSockets(t: Test): Socket[] {
  const sockets: Socket[] = [];
  for (const layer of [net, tls]) {
    const connect = layer.connect as (...facts: unknown[]) => Socket;
    const watched = (...facts: unknown[]) => {
      const socket = connect.apply(layer, facts);
      sockets.push(socket);
      return socket;
    };
    Object.assign(layer, { connect: watched });
    t.teardown(() => Object.assign(layer, { connect }));
  }
  return sockets;
}

const { key, cert } = await createCertificate(t);

type Protocol = 'TCP' | 'TLS';

/** An upstream whose origin does with `/large` what `handler` says. */
async function start(t: Test, protocol: Protocol, handler: OriginHandler) {
  const sockets = watchSockets(t);
  const origin = await startOrigin(
    (request, connection) => {
      if (request.target === '/large') handler(request, connection);
      else answerOk(request, connection);
    },
    { owner: t, ...(protocol === 'TLS' ? { tls: { key, cert } } : {}) },
  );
  const upstream = createUpstream(t, origin.url, { tls: { insecureSkipVerify: true } });
  /** Others pass meanwhile: whoever could still move has done so afterwards. */
  const passOthers = async () => {
    for (let count = 0; count < 100; count += 1) await send(upstream, '/small').over;
    t.equal(await outcomeOf(send(upstream, '/small')), '200 ok');
  };
  return { origin, upstream, sockets, passOthers };
}

for (const [framing, protocol] of [
  ['length', 'TCP'],
  ['chunks', 'TCP'],
  ['length', 'TLS'],
] as const) {
  t.test(`${framing}, ${protocol}: an answer that is not read waits at the origin`, async (t) => {
    let sending: OriginConnection | undefined;
    const { upstream, passOthers } = await start(t, protocol, (_, connection) => {
      sending = connection;
      if (framing === 'length') connection.answer({ body: BODY });
      else connection.answerChunked({ chunks: PIECES });
    });
    const sent = send(upstream, '/large');
    let takes = false;
    sent.takesMore = () => takes;
    await sent.firstData;
    await passOthers();
    const { receivedBytes } = sent;
    t.ok(receivedBytes <= MOST_HELD_BYTES, `${receivedBytes} bytes were read`);
    t.ok((sending?.unsentBytes ?? 0) > 0, 'the origin could not send all of it');
    sent.exchange.resume();
    await passOthers();
    const more = sent.receivedBytes - receivedBytes;
    t.ok(more > 0 && more <= MOST_HELD_BYTES, `${more} more bytes were read, where one piece was asked for`);
    takes = true;
    sent.exchange.resume();
    await sent.over;
    t.same([sent.failure, digestOf(sent.body)], [null, DIGEST]);
  });

  t.test(`${framing}, ${protocol}: a body that the origin does not read waits at its source`, async (t) => {
    const stopped = Promise.withResolvers<OriginConnection>();
    const { origin, upstream, sockets, passOthers } = await start(
      t,
      protocol,
      async (request, connection) => {
        connection.stopReading();
        stopped.resolve(connection);
        await request.ended;
        connection.answer({ body: digestOf(request.body) });
      },
    );
    const body = new HeldBody(PIECES);
    const headers = framing === 'length' ? ['content-length', String(SIZE_BYTES)] : [];
    const sent = send(upstream, '/large', { method: 'PUT', body, headers });
    const connection = await stopped.promise;
    await passOthers();
    const held = sockets.map(({ writableLength }) => writableLength);
    t.ok(Math.max(...held) <= MOST_HELD_BYTES, `${held} bytes wait to be sent`);
    t.ok(Math.max(...held) > 0, 'and some do');
    t.ok(body.givenBytes < SIZE_BYTES, `${body.givenBytes} bytes were taken`);
    connection.resumeReading();
    t.equal(await outcomeOf(sent), `200 ${DIGEST}`);
    t.same(origin.malformed, []);
  });
}

t.test('an answer whose end was read while it waited frees its connection', async (t) => {
  const { origin, upstream } = await start(t, 'TCP', (_, connection) => connection.answer({ body: 'whole' }));
  for (let count = 0; count < 3; count += 1) {
    const sent = send(upstream, '/large');
    sent.takesMore = () => false;
    t.equal(await outcomeOf(sent), '200 whole');
    sent.exchange.resume();
  }
  t.equal(origin.acceptedConnections, 1);
});

t.test('an answer that waits as the origin closes is still read to its end', async (t) => {
  const { upstream, passOthers } = await start(t, 'TCP', (_, connection) =>
    connection.answerUntilClose({ body: BODY }),
  );
  const sent = send(upstream, '/large');
  let takes = false;
  sent.takesMore = () => takes;
  await sent.firstData;
  await passOthers();
  takes = true;
  sent.exchange.resume();
  await sent.over;
  t.same([sent.failure, digestOf(sent.body)], [null, DIGEST]);
});
