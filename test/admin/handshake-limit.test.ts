import t from 'tap';
import { HandshakeLimit } from '../../lib/admin/handshake-limit.ts';

/** How many of very many are let in. */
function count(limit: HandshakeLimit, address: string, nowMs: number): number {
  let admitted = 0;
  for (let attempt = 0; attempt < 1_000; attempt += 1) if (limit.admit(address, nowMs)) admitted += 1;
  return admitted;
}

t.test('an address has a hundred handshakes at once and twenty a second, each for itself', async (t) => {
  const limit = new HandshakeLimit();
  for (const [address, nowMs, expected] of [
    ['10.0.0.1', 0, 100],
    ['::ffff:10.0.0.1', 0, 0],
    ['10.0.0.2', 0, 100],
    ['2001:db8::1', 0, 100],
    ['2001:db8::2', 0, 0],
    ['10.0.0.1', 1_000, 20],
    ['10.0.0.1', 1_049, 0],
    ['10.0.0.1', 1_050, 1],
    ['10.0.0.1', 60_000, 100],
  ] as const) {
    t.equal(count(limit, address, nowMs), expected, `${address} at ${nowMs}`);
  }
});

t.test('no more than 10,000 addresses are remembered, those of the last connections', async (t) => {
  const limit = new HandshakeLimit();
  t.equal(count(limit, '10.1.1.1', 0), 100);
  for (let index = 0; index < 10_000; index += 1) {
    limit.admit(`192.168.${index >> 8}.${index & 255}`, 0);
    if (index % 1_000 === 0) limit.admit('10.1.1.1', 0);
  }
  t.equal(limit.size, 10_000);
  t.equal(count(limit, '10.1.1.1', 0), 0);
});
