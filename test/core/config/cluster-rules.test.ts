import fc from 'fast-check';
import t from 'tap';
import { findDestinationUrlProblems } from '../../../lib/core/config/destination-url.ts';
import { checkOneCluster, pointersOf } from './findings.ts';

const checkUrl = (url: string) => checkOneCluster({ destinations: { d: { url } } });

t.test('usable destination URLs are accepted', async (t) => {
  for (const url of [
    'http://10.0.0.1:8080',
    'https://orders.example.com',
    'HTTP://Orders.example.com/base/path/',
    'http://[::1]:8080/',
    'http://münchen.example',
    'http://h/a@b',
  ]) {
    t.ok(checkUrl(url).isValid, url);
  }
});

t.test('each rule that a destination URL breaks is one problem', async (t) => {
  const broken: [string, RegExp[]][] = [
    ['', [/must start with/]],
    ['orders:8080', [/must start with/]],
    ['ftp://h', [/must start with/]],
    ['//h', [/must start with/]],
    ['http:h', [/must start with/]],
    ['http:///path', [/no host/]],
    ['http://h:99999', [/no URL/]],
    ['http://h:0', [/port 0/]],
    ['http://user@h', [/user information/]],
    ['http://:secret@h', [/user information/]],
    ['http://@h', [/user information/]],
    ['http://h/?', [/query/]],
    ['http://h?a=b', [/query/]],
    ['http://h/#', [/fragment/]],
    ['http://h/#a?b', [/fragment/]],
    ['http://u:p@h:0/?a#b', [/user/, /query/, /fragment/, /port 0/]],
    ['http://h\\x', [/backslash/]],
    ['http://h/a b', [/white space/]],
    [' http://h', [/white space/]],
    ['http://h/\n', [/control/]],
    ['http://h/\u0000', [/control/]],
    ['http://h\u0085', [/control/]],
  ];
  for (const [url, messages] of broken) {
    const { problems } = checkUrl(url);
    t.equal(problems.length, messages.length, JSON.stringify(url));
    for (const [index, message] of messages.entries()) {
      t.match(problems[index]?.message, message);
      t.equal(problems[index]?.pointer, '/destinations/d/url');
      t.ok(problems[index]?.hint);
    }
  }
});

t.test('a password in a destination URL is not repeated in what is said about it', async (t) => {
  t.notMatch(JSON.stringify(checkUrl('http://user:secret@h/?q')), /secret/);
});

t.test(
  'any text is a destination URL or has a problem, and what is accepted is what is connected to',
  async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.webUrl({ withQueryParameters: true }),
      fc.string().map((rest) => `http://${rest}`),
    );
    fc.assert(
      fc.property(text, (url) => {
        if (findDestinationUrlProblems(url).length > 0) {
          return true;
        }
        const parsed = new URL(url);
        return parsed.host !== '' && parsed.username === '' && parsed.search === '' && parsed.hash === '';
      }),
      { numRuns: 500 },
    );
  },
);

t.test('a cluster without destinations is allowed, with a warning', async (t) => {
  const { isValid, warnings } = checkOneCluster({ destinations: {} });
  t.ok(isValid);
  t.same(pointersOf(warnings), ['/destinations']);
});

t.test('one URL for two destinations is a warning that names the first', async (t) => {
  const destinations = { a: { url: 'http://h' }, b: { url: 'http://H:80/' }, c: { url: 'http://h/x' } };
  const { isValid, warnings } = checkOneCluster({ destinations });
  t.ok(isValid);
  t.same(pointersOf(warnings), ['/destinations/b/url']);
  t.match(warnings[0]?.message, /"a"/);
});

t.test('consistentHash needs a hash, and a name but for clientIp', async (t) => {
  const check = (loadBalancing: object) => pointersOf(checkOneCluster({ loadBalancing }).problems);
  const policy = 'consistentHash';
  t.same(check({ policy }), ['/loadBalancing']);
  t.same(check({ policy, hash: { source: 'header' } }), ['/loadBalancing/hash']);
  t.same(check({ policy, hash: { source: 'query' } }), ['/loadBalancing/hash']);
  t.same(check({ policy, hash: { source: 'header', name: 'x y' } }), ['/loadBalancing/hash/name']);
  t.same(check({ policy, hash: { source: 'cookie', name: 'a=b' } }), ['/loadBalancing/hash/name']);
  t.same(check({ policy, hash: { source: 'cookie', name: 'session' } }), []);
  t.same(check({ policy, hash: { source: 'query', name: 'a b' } }), []);
  t.same(check({ policy, hash: { source: 'clientIp' } }), []);
});

t.test('a hash that has no effect is not passed over', async (t) => {
  const { problems } = checkOneCluster({ loadBalancing: { policy: 'random', hash: { source: 'clientIp' } } });
  t.same(pointersOf(problems), ['/loadBalancing/hash']);
  const hash = { source: 'clientIp' as const, name: 'x' };
  const { isValid, warnings } = checkOneCluster({ loadBalancing: { policy: 'consistentHash', hash } });
  t.ok(isValid);
  t.same(pointersOf(warnings), ['/loadBalancing/hash/name']);
});

const HTTPS = { destinations: { d: { url: 'https://orders.internal' } } };
const tlsProblems = (tls: object) => checkOneCluster({ ...HTTPS, tls }).problems;

t.test('what TLS to origins needs comes from one place each, a certificate with its key', async (t) => {
  t.same(tlsProblems({ caFile: '/ca.pem', certEnv: 'CERT', keyFile: '/key.pem' }), []);
  t.same(tlsProblems({}), []);
  t.match(tlsProblems({ caFile: '/ca.pem', caEnv: 'CA' }), [
    { pointer: '/tls', message: 'the list of authorities comes from more than one place: caFile, caEnv' },
  ]);
  t.match(tlsProblems({ certFile: '/c', certEnv: 'C', keyFile: '/k', keyEnv: 'K' }), [
    { message: /the certificate comes from more/ },
    { message: /the private key comes from more/ },
  ]);
  t.match(tlsProblems({ certFile: '/c' }), [{ pointer: '/tls', hint: 'give keyFile or keyEnv' }]);
  t.match(tlsProblems({ keyEnv: 'K' }), [{ pointer: '/tls', hint: 'give certFile or certEnv' }]);
});

t.test('the server name of TLS is a host name', async (t) => {
  t.same(tlsProblems({ serverName: 'orders.internal' }), []);
  for (const serverName of ['*.internal', '10.0.0.1', '[::1]', 'a b', 'orders:443', 'https://orders']) {
    t.same(pointersOf(tlsProblems({ serverName })), ['/tls/serverName'], serverName);
  }
});

t.test('TLS that verifies nothing, or that no destination uses, is a warning', async (t) => {
  const warnings = (cluster: object) => pointersOf(checkOneCluster(cluster).warnings);
  t.same(warnings({ ...HTTPS, tls: { insecureSkipVerify: true } }), ['/tls/insecureSkipVerify']);
  t.same(warnings({ ...HTTPS, tls: { insecureSkipVerify: false } }), []);
  t.same(warnings({ tls: { minVersion: 'TLSv1.3' } }), ['/tls']);
  t.same(warnings({ destinations: { a: { url: 'http://h' }, b: { url: 'HTTPS://h' } }, tls: {} }), []);
});

t.test('a metadata service as a destination is a warning, however its address is written', async (t) => {
  for (const host of [
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '[::ffff:169.254.169.254]',
    '[fe80::1]',
  ]) {
    const { isValid, warnings } = checkUrl(`http://${host}/latest`);
    t.ok(isValid, host);
    t.match(warnings, [{ pointer: '/destinations/d/url', message: /metadata service/ }], host);
  }
  for (const url of ['http://10.0.0.1', 'http://169.254.169.254.example', 'http://127.0.0.1']) {
    t.same(checkUrl(url).warnings, [], url);
  }
});

t.test('requests wait for a cluster only where there is a limit', async (t) => {
  t.same(pointersOf(checkOneCluster({ limits: { maxWaiting: 1 } }).problems), ['/limits/maxWaiting']);
  t.ok(checkOneCluster({ limits: { maxConcurrent: 1, maxWaiting: 1 } }).isValid);
});
