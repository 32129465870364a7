/** Who has how many connections: exact through everything that may become of a connection. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ConnectionCounts } from '../../lib/primary/connection-counts.ts';

const NO_LIMIT = { total: 0, perAddress: 0 };

t.test('so many in all, so many of one address', async (t) => {
  const counts = new ConnectionCounts({ total: 5, perAddress: 2 }, []);
  const worker = {};
  const open = (address: string) => {
    const hasRoom = counts.hasRoomFor(address);
    if (hasRoom) counts.open(worker, address);
    return hasRoom;
  };
  t.same(['10.0.0.1', '10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'].map(open), [
    true,
    true,
    false,
    true,
    true,
    true,
    false,
  ]);
  counts.close(worker, ['10.0.0.1']);
  t.equal(counts.hasRoomFor('10.0.0.1'), true);
});

t.test('a limit of nothing is none', async (t) => {
  const counts = new ConnectionCounts(NO_LIMIT, []);
  for (let count = 0; count < 1_000; count += 1) counts.open({}, '10.0.0.1');
  t.equal(counts.hasRoomFor('10.0.0.1'), true);
});

t.test('the addresses of one IPv6 network count as one, and IPv4 written as IPv6 as IPv4', async (t) => {
  const counts = new ConnectionCounts({ total: 0, perAddress: 2 }, []);
  counts.open({}, '2001:db8:0:1::1');
  counts.open({}, '2001:db8:0:1:ffff::2');
  counts.open({}, '::ffff:10.0.0.1');
  counts.open({}, '10.0.0.1');
  const asked = ['2001:db8:0:1::3', '2001:db8:0:2::1', '::ffff:10.0.0.1', '10.0.0.1', '::ffff:10.0.0.2'];
  t.same(
    asked.map((address) => counts.hasRoomFor(address)),
    [false, true, false, false, true],
  );
});

t.test('a trusted proxy may have as many as there are in all', async (t) => {
  const counts = new ConnectionCounts({ total: 3, perAddress: 1 }, ['10.0.0.0/8']);
  for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.1']) {
    t.equal(counts.hasRoomFor(address), true);
    counts.open({}, address);
  }
  t.equal(counts.hasRoomFor('10.0.0.1'), false);
});

t.test('what a worker says of connections that it does not have makes no room', async (t) => {
  const counts = new ConnectionCounts({ total: 0, perAddress: 1 }, []);
  const [honest, other] = [{}, {}];
  counts.open(honest, '10.0.0.1');
  counts.close(other, ['10.0.0.1']);
  counts.forget(other);
  t.same([counts.hasRoomFor('10.0.0.1'), counts.total], [false, 1]);
  counts.close(honest, ['10.0.0.1', '10.0.0.1', 'garbage']);
  t.same([counts.hasRoomFor('10.0.0.1'), counts.total], [true, 0]);
});

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('open', 'open', 'open', 'close', 'close', 'forget'),
    holder: fc.nat({ max: 2 }),
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:db8::2', ''),
  }),
  { maxLength: 200 },
);

t.test('after any history the sums are those of what each holder has', async () => {
  fc.assert(
    fc.property(steps, (history) => {
      const counts = new ConnectionCounts({ total: 0, perAddress: 3 }, []);
      const holders = [{}, {}, {}];
      const held: string[][] = [[], [], []];
      const keyOf = (address: string) => (address.includes(':') ? 'network' : address);
      for (const { what, holder, address } of history) {
        const own = held[holder] as string[];
        const index = own.findIndex((other) => keyOf(other) === keyOf(address));
        if (what === 'open') {
          counts.open(holders[holder] as object, address);
          own.push(address);
        } else if (what === 'close') {
          counts.close(holders[holder] as object, [address]);
          if (index !== -1) own.splice(index, 1);
        } else {
          counts.forget(holders[holder] as object);
          own.length = 0;
        }
        const all = held.flat();
        assert.equal(counts.total, all.length);
        const same = all.filter((other) => keyOf(other) === keyOf(address)).length;
        assert.equal(counts.hasRoomFor(address), same < 3);
      }
    }),
    { numRuns: 300 },
  );
});
