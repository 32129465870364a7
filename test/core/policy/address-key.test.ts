import t from 'tap';
import { addressKey } from '../../../lib/core/policy/address-key.ts';

t.test('an address is counted under itself, an IPv6 one under its /64', async (t) => {
  const keys: readonly (readonly [string, string])[] = [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['x'.repeat(100), 'x'.repeat(64)],
  ];
  for (const [address, key] of keys) t.equal(addressKey(address), key, address);
});
