/** Which Host the origin is addressed with. */
import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t, {
  routes: {
    usual: {},
    preserving: { match: { path: '/preserving' }, preserveHost: true },
    setting: { match: { path: '/setting' }, requestHeaders: { set: { Host: 'fixed.example.com:81' } } },
    both: {
      match: { path: '/both' },
      preserveHost: true,
      requestHeaders: { set: { host: 'fixed.example.com' } },
    },
  },
});

for (const [rule, path, expected] of [
  ["the origin gets the destination's Host", '/', () => `127.0.0.1:${proxied.origin.port}`],
  ["with preserveHost it gets the client's, as written", '/preserving', () => 'API.Example.com:8080'],
  ['requestHeaders.set gives it another', '/setting', () => 'fixed.example.com:81'],
  ['requestHeaders.set is stronger than preserveHost', '/both', () => 'fixed.example.com'],
] as const) {
  t.test(rule, async (t) => {
    const { received } = await proxied.exchange(formatRequest('GET', path, { Host: 'API.Example.com:8080' }));
    t.same(received.headerValues('host'), [expected()]);
    t.same(received.headerValues('x-forwarded-host'), ['API.Example.com:8080']);
  });
}

t.test('an absolute-form target overrules Host', async (t) => {
  const text = formatRequest('GET', 'http://target.example.com:81/preserving?a=1', {
    Host: 'field.example.com',
  });
  const { received } = await proxied.exchange(text);
  t.equal(received.target, '/preserving?a=1');
  t.same(received.headerValues('host'), ['target.example.com:81']);
  t.same(received.headerValues('x-forwarded-host'), ['target.example.com:81']);
});
