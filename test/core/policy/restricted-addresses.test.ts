import t from 'tap';
import { isRestrictedAddress } from '../../../lib/core/policy/restricted-addresses.ts';

t.test('the metadata services of clouds are restricted, however their address is written', async (t) => {
  const addresses = [
    '169.254.169.254',
    '169.254.170.2',
    '169.254.0.0',
    '169.254.255.255',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:FFFF:A9FE:A9FE',
    '64:ff9b::169.254.169.254',
    'fe80::1',
    'fe80::1%eth0',
    'febf:ffff::1',
    'fd00:ec2::254',
    'fd00:0ec2:0:0:0:0:0:254',
    'fd00:ec2::23',
    'fd20:ce::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
  ];
  for (const address of addresses) t.ok(isRestrictedAddress(address), address);
});

t.test('other addresses are not restricted, private ones included', async (t) => {
  const addresses = [
    '127.0.0.1',
    '::1',
    '10.0.0.1',
    '192.168.1.1',
    '169.253.255.255',
    '169.255.0.0',
    'fec0::1',
    'fd00:ec2::253',
    '100.100.100.201',
    '64:ff9b::10.0.0.1',
    'metadata.google.internal',
    '',
  ];
  for (const address of addresses) t.notOk(isRestrictedAddress(address), address);
});
