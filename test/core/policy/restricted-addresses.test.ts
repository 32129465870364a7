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
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::100.100.100.200',
    '64:ff9b::168.63.129.16',
    '64:ff9b:1::169.254.169.254',
    '64:ff9b:1:2:3:4:169.254.169.254',
    '64:ff9b:1:a9fe:a9:fe00::',
    '64:ff9b:1:00a9:fe:a9fe::',
    '64:ff9b:1:2:a9:fea9:fe00:0',
    '2002:a9fe:a9fe::1',
    '2002:6464:64c8:ffff::',
    '::169.254.169.254',
    '::a9fe:a9fe',
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
    '64:ff9b:1::10.0.0.1',
    '64:ff9b:2::169.254.169.254',
    '2002:a00:1::a9fe:a9fe',
    '2003:a9fe:a9fe::1',
    '::10.0.0.1',
    '::1:a9fe:a9fe',
    '::',
    'metadata.google.internal',
    '',
  ];
  for (const address of addresses) t.notOk(isRestrictedAddress(address), address);
});
