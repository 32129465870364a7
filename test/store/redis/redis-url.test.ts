import fc from 'fast-check';
import t from 'tap';
import { parseRedisUrl, type RedisSecrets } from '../../../lib/store/redis/redis-url.ts';
import { createCertificate } from '../../helpers/certificate.ts';
import { NO_SECRETS } from '../../helpers/redis-server.ts';

const parse = (url: string, secrets: Partial<RedisSecrets> = {}) =>
  parseRedisUrl(url, { ...NO_SECRETS, ...secrets });

function messageOf(url: string, secrets: Partial<RedisSecrets> = {}): string {
  try {
    parse(url, secrets);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
  return 'it was accepted';
}

t.test('the shortest URL: the defaults', async (t) => {
  t.strictSame(parse('redis://localhost'), {
    mode: 'standalone',
    nodes: [{ host: 'localhost', port: 6379 }],
    sentinelName: null,
    username: null,
    password: null,
    sentinelUsername: null,
    sentinelPassword: null,
    database: 0,
    tls: null,
    prefix: '{gateway}:',
    description: 'redis://localhost:6379/0',
  });
});

t.test('every form, and its normalised description', async (t) => {
  const cases: [url: string, description: string, settings: object][] = [
    ['redis://h/', 'redis://h:6379/0', { database: 0 }],
    ['redis://H.Example.:7000/15', 'redis://h.example.:7000/15', { database: 15 }],
    ['rediss://10.0.0.1', 'rediss://10.0.0.1:6379/0', { tls: { ca: null, serverName: null } }],
    ['rediss://h?serverName=R.example', 'rediss://h:6379/0', { tls: { serverName: 'r.example' } }],
    ['redis://[::1]', 'redis://[::1]:6379/0', { nodes: [{ host: '::1', port: 6379 }] }],
    ['redis://[2001:DB8::1]:1/2', 'redis://[2001:db8::1]:1/2', { nodes: [{ host: '2001:db8::1', port: 1 }] }],
    [
      'redis+sentinel://b,a:1/mymaster',
      'redis+sentinel://a:1,b:26379/mymaster/0',
      { mode: 'sentinel', sentinelName: 'mymaster', nodes: [{ host: 'b', port: 26379 }, { host: 'a' }] },
    ],
    [
      'rediss+sentinel://[::1]/my-master.1/3',
      'rediss+sentinel://[::1]:26379/my-master.1/3',
      { mode: 'sentinel', sentinelName: 'my-master.1', database: 3, tls: { key: null } },
    ],
    ['redis+cluster://b:2,a', 'redis+cluster://a:6379,b:2', { mode: 'cluster', sentinelName: null }],
    ['rediss+cluster://a/0', 'rediss+cluster://a:6379', { mode: 'cluster', database: 0, tls: {} }],
  ];
  for (const [url, description, settings] of cases) {
    t.match(parse(url), { ...settings, description }, url);
  }
});

t.test('user and password: percent-decoded, from either place', async (t) => {
  const user = { username: 'gateway' };
  const password = 'p@:/?#% "ü';
  t.match(parse(`redis://gateway:${encodeURIComponent(password)}@h`), { ...user, password });
  t.match(parse('redis://:a:b@c@h'), { username: null, password: 'a:b@c', nodes: [{ host: 'h' }] });
  t.match(parse('redis://@h'), { username: null, password: null });
  t.match(parse('redis://gateway@h', { password }), { ...user, password });
  t.match(parse('redis://gateway@h', { ...user, password }), { ...user, password });
  t.match(parse('redis://h', { ...user, password }), { ...user, password });
  const sentinel = { sentinelUsername: 's', sentinelPassword: 't' };
  t.match(parse('redis+sentinel://u:p@h/m', sentinel), { username: 'u', password: 'p', ...sentinel });
});

t.test('what cannot work is refused, and why', async (t) => {
  const cases: [url: string, hint: RegExp, secrets?: Partial<RedisSecrets>][] = [
    ['', /form such as redis:/],
    ['localhost:6379', /form such as/],
    ['http://h', /form such as/],
    ['REDIS+other://h', /form such as/],
    ['redis://h#1', /form such as/],
    [`redis://${'h'.repeat(5000)}`, /longer than 4096/],
    ['redis://', /host is missing/],
    ['redis+cluster://a,', /host is missing/],
    ['redis://a b', /"a b" is neither a host name nor an address/],
    ['redis://[::g]', /"::g" is neither/],
    ['redis://[127.0.0.1]', /neither/],
    ['redis://::1', /brackets|host is missing/],
    ['redis://[::1', /brackets/],
    ['redis://a,b', /several hosts/],
    ['redis://h:0', /port of "h" must be/],
    ['redis://h:65536', /port of "h"/],
    ['redis://h:', /port of "h"/],
    ['redis://h:+1', /port of "h"/],
    ['redis://h/one', /number of the database/],
    ['redis://h/-1', /number of the database/],
    ['redis://h/1/2', /number of the database/],
    ['redis+sentinel://h', /as its sentinels know it/],
    ['redis+sentinel://h/m%20m', /as its sentinels know it/],
    ['redis+sentinel://h/m/1/2', /number of the database/],
    ['redis+cluster://h/1', /only database 0/],
    ['redis://h?password=1', /unknown option "password"/],
    ['redis://h?serverName=a', /rediss:/],
    ['rediss://h?serverName=', /one host name/],
    ['rediss://h?serverName=a&serverName=b', /one host name/],
    ['redis://%zz@h', /write "%" .* as %25/],
    ['redis://u:a/b@h', /as %2F/],
    ['redis://u:a?b@h', /as %2F/],
    ['redis://u@h', /user name without a password/],
    ['redis://h', /user name without a password/, { username: 'u' }],
    ['redis://:a@h', /given twice/, { password: 'a' }],
    ['redis://u:a@h', /two user names/, { username: 'v' }],
    ['redis://h', /not redis\+sentinel/, { sentinelPassword: 'a' }],
    ['redis+sentinel://h/m', /sentinels without a password/, { sentinelUsername: 'a' }],
  ];
  for (const [url, hint, secrets] of cases) t.match(messageOf(url, secrets), hint, url.slice(0, 80));
});

t.test('the prefix holds one hash tag', async (t) => {
  for (const prefix of ['{a}', 'prod:{gateway}:', '{a}b']) {
    t.equal(parse('redis://h', { prefix }).prefix, prefix);
  }
  for (const prefix of ['', 'gateway:', '{}', '{', '}a{', '{a', 'a}', '{a}{b}', '{{a}}', '{}{a}']) {
    t.match(messageOf('redis://h', { prefix }), /hash tag/, prefix);
  }
  for (const prefix of ['{a} ', '{a}\n', '{ä}', '{a}*', '{a}?', '{a}[b]', '{a}\\', `{${'a'.repeat(100)}}`]) {
    t.match(messageOf('redis://h', { prefix }), /printable/, prefix);
  }
});

t.test('certificates go with rediss only, and have to be some', async (t) => {
  const { ca, cert, key } = await createCertificate(t);
  const other = await createCertificate(t);
  t.match(parse('rediss://h', { ca, cert, key }).tls, { ca, cert, key, serverName: null });
  t.match(parse('rediss://h', { ca: `${ca}${other.ca}` }).tls, { ca: `${ca}${other.ca}` });
  for (const secrets of [{ ca }, { cert }, { key }]) {
    t.match(messageOf('redis://h', secrets), /not rediss/);
  }
  t.match(messageOf('rediss://h', { cert }), /go together/);
  t.match(messageOf('rediss://h', { key }), /go together/);
  t.match(messageOf('rediss://h', { ca: 'rubbish' }), /^the CA certificate cannot be used: /);
  t.match(messageOf('rediss://h', { cert, key: 'rubbish' }), /^the client certificate .* cannot be used: /);
  t.match(messageOf('rediss://h', { cert, key: other.key }), /^the client certificate .* cannot be used: /);
});

t.test('no password ever gets into a message or a description', async (t) => {
  const secret = 'geheimnis';
  // The secret with anything before and behind it that may break the form of the URL.
  const breaking = fc.string({ unit: fc.constantFrom(...'@:/?#%,[]+=& a1'), maxLength: 4 });
  const scheme = fc.constantFrom('redis:', 'rediss:', 'redis+sentinel:', 'redis+cluster:', 'http:', '');
  const rest = fc.constantFrom('@h', '@h/1', '@h:x', '@h:1/m', '@', '@h?a=b', '@[::1', '@a,b');
  const user = fc.constantFrom('', 'u', 'u:v', '@');
  fc.assert(
    fc.property(scheme, user, breaking, breaking, rest, (scheme, user, before, behind, rest) => {
      const url = `${scheme}//${user}:${before}${secret}${behind}${rest}`;
      let shown: string;
      try {
        shown = parse(url).description;
      } catch (error) {
        shown = (error as Error).message;
      }
      return !shown.includes(secret) && !shown.includes('\n');
    }),
    { numRuns: 2000 },
  );
  for (const url of [`redis://u:${secret}`, `redis://h/${secret}`, `redis://h:1/m/${secret}`]) {
    t.notMatch(messageOf(url), secret, url);
  }
});

t.test('what is described is read as the same store', async (t) => {
  const host = fc.constantFrom('a', 'b.example', '10.0.0.1', '[::1]');
  const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: null });
  const hosts = fc.array(fc.tuple(host, port), { minLength: 1, maxLength: 4 });
  const form = fc.constantFrom('redis', 'rediss', 'redis+sentinel', 'rediss+cluster');
  fc.assert(
    fc.property(form, hosts, fc.nat({ max: 20 }), (form, hosts, database) => {
      const several = form.includes('+') ? hosts : hosts.slice(0, 1);
      const authority = several.map(([host, port]) => (port === null ? host : `${host}:${port}`)).join(',');
      const path = form.includes('cluster') ? '' : `${form.includes('sentinel') ? '/m' : ''}/${database}`;
      const { description, ...settings } = parse(`${form}://${authority}${path}`);
      const again = parse(description);
      t.equal(again.description, description);
      t.same(
        again.nodes.map((node) => JSON.stringify(node)).sort(),
        settings.nodes.map((node) => JSON.stringify(node)).sort(),
      );
      t.same([again.mode, again.database, again.tls], [settings.mode, settings.database, settings.tls]);
    }),
    { numRuns: 100 },
  );
});
