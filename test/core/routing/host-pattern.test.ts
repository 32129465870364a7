import t from 'tap';
import { canonicalIpv6 } from '../../../lib/core/http/ipv6-address.ts';
import { parseHostPattern } from '../../../lib/core/routing/host-pattern.ts';

t.test('names and addresses are exact, *. makes a wildcard of the suffix', async (t) => {
  const patterns: readonly (readonly [string, string, string])[] = [
    ['api.example.com', 'exact', 'api.example.com'],
    ['API.Example.COM', 'exact', 'api.example.com'],
    ['api.example.com.', 'exact', 'api.example.com'],
    ['localhost', 'exact', 'localhost'],
    ['my_service', 'exact', 'my_service'],
    ['xn--bcher-kva.example', 'exact', 'xn--bcher-kva.example'],
    ['10.0.0.1', 'exact', '10.0.0.1'],
    ['[::1]', 'exact', '[::1]'],
    ['[2001:DB8:0:0:0:0:0:1]', 'exact', '[2001:db8::1]'],
    ['*.example.com', 'wildcard', 'example.com'],
    ['*.Example.com.', 'wildcard', 'example.com'],
    ['*.test', 'wildcard', 'test'],
  ];
  for (const [text, kind, name] of patterns) {
    t.same(parseHostPattern(text), { pattern: { kind, name }, problem: null }, text);
  }
});

t.test('anything else is refused, and the problem says how to write it', async (t) => {
  const problems: readonly (readonly [string, RegExp])[] = [
    ['', /leave hosts out/],
    ['*', /leave hosts out/],
    ['https://a.test', /scheme/],
    ['a.test/x', /path/],
    ['a.test:8080', /hosts match without the port; write 'a\.test'/],
    ['[::1]:8080', /hosts match without the port; write '\[::1\]'/],
    ['::1', /write '\[::1\]'/],
    ['[::1', /no IPv6 address/],
    ['[::1]x', /no IPv6 address/],
    ['[fe80::1%eth0]', /no IPv6 address/],
    ['[10.0.0.1]', /no IPv6 address/],
    ['bücher.example', /xn--/],
    ['a b', /white space/],
    ['a\u0000', /control character/],
    ['a.*.test', /whole first label/],
    ['a*.test', /whole first label/],
    ['*.*.test', /whole first label/],
    ['*a.test', /whole first label/],
    ['*.', /leave hosts out/],
    ['.', /no DNS name/],
    ['a..test', /no DNS name/],
    ['.test', /no DNS name/],
    ['-a.test', /no DNS name/],
    ['a-.test', /no DNS name/],
    ['a@b.test', /no DNS name/],
    [`${'a'.repeat(64)}.test`, /no DNS name/],
    [`${'abcd.'.repeat(51)}test`, /253/],
    ['1.2.3', /no IPv4 address/],
    ['1.2.3.256', /no IPv4 address/],
    ['1.2.3.04', /no IPv4 address/],
    ['*.1.2.3.4', /sub-domains of an IP address/],
  ];
  for (const [text, expected] of problems) {
    const { pattern, problem } = parseHostPattern(text);
    t.equal(pattern, null, JSON.stringify(text));
    t.match(problem, expected, JSON.stringify(text));
  }
});

t.test('an IPv6 address has one spelling (RFC 5952)', async (t) => {
  const spellings: readonly (readonly [string, string | null])[] = [
    ['0:0:0:0:0:0:0:0', '::'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:0DB8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['1:2:3:4:5:6:7', null],
    ['1:2:3:4:5:6:7:8:9', null],
    ['1:2:3:4:5:6:7:8::', null],
    ['1::2::3', null],
    [':::', null],
    ['12345::', null],
    ['192.0.2.1::', null],
    ['::192.0.2.256', null],
    ['', null],
  ];
  for (const [text, expected] of spellings) {
    t.equal(canonicalIpv6(text), expected, text);
  }
});
