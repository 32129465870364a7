/** What is read of many answers at once: each byte in its place, though most connections read into the same memory. */
import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import { createCertificate } from '../../helpers/certificate.ts';
import type { OriginConnection } from '../../helpers/origin-connection.ts';
import { type OriginHandler, startOrigin } from '../../helpers/scripted-origin.ts';
import { createUpstream, outcomeOf, type SentRequest, send } from './upstream-client.ts';

const CONNECTIONS = 40;
const ROUNDS = 6;
/** From what comes with its head up to what fills the largest buffer several times. */
const SIZES = [1, 100, 3_000, 16_383, 16_384, 65_536, 65_537, 300_000, 1_500_000];

const bodies = SIZES.map((size) => randomBytes(size));
const digests = bodies.map(digestOf);

function digestOf(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** Target: which body, and how it is sent. */
const answer: OriginHandler = ({ target }, connection) => {
  const [, index, framing] = target.split('/');
  const body = bodies[Number(index)]!;
  if (framing === 'length') connection.answer({ body });
  else if (framing === 'close') connection.answerUntilClose({ body });
  else answerInChunks(connection, body);
};

/** Of many sizes, so that their framing falls on each place of a read. */
function answerInChunks(connection: OriginConnection, body: Buffer): void {
  connection.beginChunked();
  for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 70_001) {
    connection.writeChunk(body.subarray(at, at + size));
  }
  connection.endChunked([['x-sum', digestOf(body)]]);
}

/** Takes a piece of a body at a time, and now and then only later. */
function readUnevenly(sent: SentRequest, seed: number): void {
  let pieces = seed;
  sent.takesMore = () => {
    pieces += 1;
    if (pieces % 3 !== 0) return true;
    setImmediate(() => sent.exchange.resume());
    return false;
  };
}

const certificate = await createCertificate(t);
const PLAIN = {};
const SECURE = { tls: { key: certificate.key, cert: certificate.cert } };

for (const [protocol, options] of [
  ['TCP', PLAIN],
  ['TLS', SECURE],
] as const) {
  t.test(`over ${protocol}: what many connections deliver at the same time stays apart`, async (t) => {
    const origin = await startOrigin(answer, { owner: t, ...options });
    const upstream = createUpstream(t, origin.url, {
      maxConnections: CONNECTIONS,
      tls: { insecureSkipVerify: true },
    });
    const wrong: string[] = [];
    const kept: [sent: SentRequest, index: number][] = [];
    const run = async (seed: number): Promise<void> => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const index = (seed * 5 + round * 7) % SIZES.length;
        const framing = ['length', 'chunks', 'length', 'close'][(seed + round) % 4];
        const sent = send(upstream, `/${index}/${framing}`);
        readUnevenly(sent, seed + round);
        await sent.over;
        kept.push([sent, index]);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, seed) => run(seed)));
    // Not before all has been read: what stood in memory that was used again has been written over by now.
    for (const [sent, index] of kept) {
      const { failure, body, trailers } = sent;
      const sum = trailers[1] ?? digests[index];
      if (failure !== null || digestOf(body) !== digests[index] || sum !== digests[index])
        wrong.push(`${SIZES[index]} bytes: ${failure?.detail ?? 'other bytes'}`);
    }
    t.equal(kept.length, CONNECTIONS * ROUNDS);
    t.same(wrong, []);
    t.same(origin.malformed, []);
  });
}

t.test('a small body that is kept stays what it was while others come', async (t) => {
  const origin = await startOrigin(({ target }, connection) => connection.answer({ body: target }), {
    owner: t,
  });
  const upstream = createUpstream(t, origin.url);
  const sent = Array.from({ length: 20 }, (_, index) => send(upstream, `/${index}`));
  await Promise.all(sent.map(({ over }) => over));
  for (let count = 0; count < 20; count += 1) await send(upstream, '/something-else').over;
  t.same(
    await Promise.all(sent.map(outcomeOf)),
    sent.map((_, index) => `200 /${index}`),
  );
});
