import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { canonicalHost } from '../../../lib/core/http/host.ts';
import { canonicalIpv6 } from '../../../lib/core/http/ipv6-address.ts';

t.test('a host becomes its lower-case name without port and trailing dot', async (t) => {
  const hosts: [string, string][] = [
    ['api.example.com', 'api.example.com'],
    ['API.Example.COM', 'api.example.com'],
    ['api.example.com:8080', 'api.example.com'],
    ['Api.example.com.:443', 'api.example.com'],
    ['api.example.com.', 'api.example.com'],
    ['localhost', 'localhost'],
    ['localhost:', 'localhost'],
    ['localhost:0', 'localhost'],
    ['localhost:65535', 'localhost'],
    ['a', 'a'],
    ['a.', 'a'],
    ['127.0.0.1:9901', '127.0.0.1'],
    ['under_score.x-y.example', 'under_score.x-y.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['[::1]', '[::1]'],
    ['[::1]:8080', '[::1]'],
    ['[0:0:0:0:0:0:0:1]', '[::1]'],
    ['[2001:DB8::A]:', '[2001:db8::a]'],
    ['[::FFFF:192.0.2.1]:80', '[::ffff:c000:201]'],
  ];
  for (const [value, name] of hosts) t.equal(canonicalHost(value), name, value);
});

t.test('what is not a host is null', async (t) => {
  const values = [
    '',
    '.',
    '..',
    ':80',
    '.:80',
    '.example.com',
    'a..b',
    'a..',
    'a.:x',
    'user@host',
    'user:secret@host',
    'a,b',
    'a, b',
    ' a',
    'a ',
    'a b',
    'a\tb',
    'a/b',
    'a\\b',
    'a?b',
    'a#b',
    'a%2eb',
    '*.example.com',
    'caf\u00e9.example',
    '\u212aelvin.example',
    'host:65536',
    'host:99999999999999999999',
    'host:8o',
    'host:+80',
    'host:80:80',
    'host:-1',
    '::1',
    '[::1',
    '[]',
    '[::1]x',
    '[::1]80',
    '[::1]:x',
    '[::1]:65536',
    '[::1]]',
    '[::1].',
    '[fe80::1%25eth0]',
    '[v1.x]',
    '[1.2.3.4]',
    '[:::]',
    'a[::1]',
  ];
  for (const value of values) t.equal(canonicalHost(value), null, JSON.stringify(value));
});

t.test('a name may have 253 characters, the trailing dot not counted', async (t) => {
  const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
  t.equal(longest.length, 253);
  t.equal(canonicalHost(longest), longest);
  t.equal(canonicalHost(`${longest}.:80`), longest);
  t.equal(canonicalHost(`${longest}e`), null);
});

t.test('a canonical host is a fixed point, and port, case and trailing dot do not change it', async (t) => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,12}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
  fc.assert(
    fc.property(
      name,
      fc.constantFrom('', '.'),
      fc.constantFrom('', ':', ':80', ':65535'),
      (host, dot, port) => {
        const canonical = canonicalHost(host);
        return canonical === host && canonicalHost(`${host.toUpperCase()}${dot}${port}`) === host;
      },
    ),
    { numRuns: 1_000 },
  );
  t.pass('holds for all');
});

t.test('any text gives null or a host of plain characters that stays itself', async (t) => {
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-zA-Z0-9.:[\]@_-]{0,12}$/));
  fc.assert(
    fc.property(texts, (text) => {
      const host = canonicalHost(text);
      return (
        host === null || (/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/.test(host) && canonicalHost(host) === host)
      );
    }),
    { numRuns: 2_000 },
  );
  t.pass('holds for all');
});

t.test('IPv6 addresses are told from others as Node does it', async (t) => {
  const group = fc.stringMatching(/^[0-9a-fA-F]{0,5}$/);
  const mixed = fc
    .array(
      fc.oneof(
        group,
        fc.constantFrom('', '0', 'ffff', '1.2.3.4', '256.1.1.1', '01.2.3.4', '1.2.3', '1.2.3.4.'),
      ),
      {
        maxLength: 9,
      },
    )
    .map((groups) => groups.join(':'));
  fc.assert(
    fc.property(fc.oneof(mixed, fc.ipV6()), (text) => (canonicalIpv6(text) !== null) === isIPv6(text)),
    { numRuns: 5_000 },
  );
  for (const text of [
    '::',
    '::1',
    '1::',
    '1:2:3:4:5:6:7::',
    '1:2:3:4:5:6:7:8',
    '::1.2.3.4',
    '1:2:3:4:5:6:1.2.3.4',
  ]) {
    t.equal(canonicalIpv6(text) !== null, true, text);
  }
  for (const text of [
    '1::2::3',
    '1:2:3:4:5:6:7:8::',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    `${'0'.repeat(46)}`,
  ]) {
    t.equal(canonicalIpv6(text) !== null, false, text);
  }
});
