/** Who a client is, as trusted proxies tell it. */
import fc from 'fast-check';
import t from 'tap';
import { AddressPolicy } from '../../lib/proxy/policies/address-policy.ts';
import { TrustedProxies } from '../../lib/proxy/trusted-proxies.ts';

const proxies = new TrustedProxies(['10.0.0.0/8', 'fd00::/8']);
const clientOf = (forwardedFor: string) => proxies.clientAddress('10.0.0.1', forwardedFor);

t.test('the client is the last address that is not of a trusted proxy', async (t) => {
  t.equal(clientOf('203.0.113.9'), '203.0.113.9');
  t.equal(clientOf('192.0.2.1, 203.0.113.9, 10.0.0.2'), '203.0.113.9', 'what stands before it is hearsay');
  t.equal(clientOf('10.0.0.3, fd00::2'), '10.0.0.3', 'a proxy, where all are proxies');
  t.equal(proxies.clientAddress('192.0.2.1', '203.0.113.9'), '192.0.2.1', 'nobody else is believed');
});

t.test('an address may come with its port, as some proxies write it', async (t) => {
  t.equal(clientOf('203.0.113.9:4711'), '203.0.113.9');
  t.equal(clientOf('[2001:db8::1]:4711'), '2001:db8::1');
  t.equal(clientOf('[2001:db8::1]'), '2001:db8::1');
  t.equal(clientOf('2001:db8::1'), '2001:db8::1');
  t.equal(clientOf('::ffff:203.0.113.9'), '203.0.113.9');
});

t.test('what is no address leaves the client unknown, and never makes it the proxy', async (t) => {
  for (const entry of [
    'unknown',
    '_hidden',
    '"203.0.113.9"',
    '203.0.113.9:',
    '203.0.113.999',
    '203.0.113.9, x',
    ' ',
  ]) {
    t.equal(clientOf(entry), '', entry);
  }
  t.equal(clientOf('unknown, 203.0.113.9'), '203.0.113.9', 'beyond the client it does not matter');
  const entry = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constant('10.0.0.9'));
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 4 }), (entries) => {
      const told = entries.join(',');
      // The peer is never the client, unless it is told to be, or nothing is told.
      return told === '' || told.includes('10.0.0.1') || clientOf(told) !== '10.0.0.1';
    }),
  );
});

t.test('an unknown client is let in by no rule about addresses, be it to allow or to deny', async (t) => {
  t.equal(new AddressPolicy({ allow: ['10.0.0.0/8'] }).judge('')?.error.code, 'GW_ERR_ADDRESS_DENIED');
  t.equal(new AddressPolicy({ deny: ['203.0.113.9'] }).judge('')?.error.code, 'GW_ERR_ADDRESS_DENIED');
});
