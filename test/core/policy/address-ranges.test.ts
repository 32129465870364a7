import { BlockList } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { AddressSet, parseAddressRange } from '../../../lib/core/policy/address-ranges.ts';

const LONGEST_PREFIX = { ipv4: 32, ipv6: 128 } as const;
type Family = keyof typeof LONGEST_PREFIX;
interface Address {
  readonly family: Family;
  readonly text: string;
}

/** Few different bits, so that addresses and ranges meet. */
const ipv4Part = fc.constantFrom(0, 1, 10, 127, 128, 254, 255);
const ipv4: fc.Arbitrary<Address> = fc
  .tuple(ipv4Part, ipv4Part, ipv4Part, ipv4Part)
  .map((parts) => ({ family: 'ipv4', text: parts.join('.') }));
const ipv6: fc.Arbitrary<Address> = fc.oneof(
  fc
    .array(fc.constantFrom('0', '1', 'fd00', '7fff', '8000', 'ffff'), { minLength: 8, maxLength: 8 })
    .map((groups): Address => ({ family: 'ipv6', text: groups.join(':') })),
  ipv4.map(({ text }): Address => ({ family: 'ipv6', text: `::ffff:${text}` })),
  fc
    .constantFrom('::', '::1', 'fe80::1', '2001:db8::', '::ffff:0:0', '::fffe:ffff:ffff', '::1:0:0:0')
    .map((text): Address => ({ family: 'ipv6', text })),
);
const address = fc.oneof(ipv4, ipv6);
const range = address.chain((base) =>
  fc.integer({ min: 0, max: LONGEST_PREFIX[base.family] }).map((prefix) => ({ ...base, prefix })),
);

t.test('a set holds what the block list of Node holds', async () => {
  const ranges = fc.array(range, { maxLength: 12 });
  fc.assert(
    fc.property(ranges, fc.array(address, { minLength: 1, maxLength: 20 }), (ranges, addresses) => {
      const list = new BlockList();
      for (const { text, prefix, family } of ranges) list.addSubnet(text, prefix, family);
      const set = new AddressSet(ranges.map(({ text, prefix }) => `${text}/${prefix}`));
      return addresses.every(({ text, family }) => set.has(text) === list.check(text, family));
    }),
    { numRuns: 500 },
  );
});

t.test('of many ranges each is found, first and last address, and their neighbours are not', async (t) => {
  const thirds = Array.from({ length: 10_000 }, (_, index) => `10.${index >> 8}.${index & 255}`);
  const set = new AddressSet([...thirds.map((third) => `${third}.64/26`), 'fd00::/16', 'fd02::/16']);
  t.ok(thirds.every((third) => set.has(`${third}.64`) && set.has(`${third}.127`)));
  t.notOk(thirds.some((third) => set.has(`${third}.63`) || set.has(`${third}.128`)));
  t.ok(set.has('fd00:ffff::1') && set.has('fd02::') && !set.has('fd01::') && !set.has('fd03::'));
});

t.test('an address is a range of one', async (t) => {
  const set = new AddressSet(['192.0.2.7', '2001:db8::7']);
  t.ok(set.has('192.0.2.7') && set.has('::ffff:192.0.2.7') && set.has('2001:DB8:0::7'));
  t.notOk(set.has('192.0.2.6') || set.has('192.0.2.8') || set.has('2001:db8::8'));
});

t.test('IPv4 written as IPv6 is IPv4, in ranges and in addresses', async (t) => {
  t.ok(new AddressSet(['::ffff:10.0.0.0/104']).has('10.255.0.1'));
  t.ok(new AddressSet(['10.0.0.0/8']).has('::ffff:a01:203'));
  t.ok(new AddressSet(['::/0']).has('192.0.2.1'));
  t.notOk(new AddressSet(['0.0.0.0/0']).has('2001:db8::1'));
});

t.test('the zone of an address does not count', async (t) => {
  t.ok(new AddressSet(['fe80::/10']).has('fe80::1%eth0'));
});

t.test('what is no address is in no set', async (t) => {
  const everything = new AddressSet(['::/0']);
  const others = [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.4 ',
  ];
  for (const text of [...others, 'localhost', ':', '::1::', '[::1]', '1'.repeat(20)]) {
    t.notOk(everything.has(text), text);
  }
});

t.test('what is neither an address nor a range is refused', async (t) => {
  const texts = ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0/8', 'fd00::/129', '/8'];
  for (const text of [...texts, '', 'fe80::1%eth0', '[::1]', '1.2.3.4/8/8', '10.0.0.0/8 ', '10.0.0.0/1e1']) {
    t.equal(parseAddressRange(text), null, text);
  }
  t.throws(() => new AddressSet(['10.0.0.0/8', 'nowhere']), {
    message: '"nowhere" is neither an address nor a CIDR range such as 10.0.0.0/8 or fd00::/8',
  });
});

t.test('bits beyond the prefix are seen', async (t) => {
  t.ok(parseAddressRange('10.0.0.1/8')?.hasHostBits);
  t.ok(parseAddressRange('fd00::1/8')?.hasHostBits);
  for (const text of ['10.0.0.0/8', '10.0.0.1', '10.0.0.1/32', '0.0.0.0/0', '::/0', 'fd00::/8', '::1']) {
    t.notOk(parseAddressRange(text)?.hasHostBits, text);
  }
});
