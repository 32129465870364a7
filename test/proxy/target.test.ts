/** The request target: what is matched is what is forwarded, and what is ambiguous is refused. */
import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { outcome, problemCode, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t, {
  routes: {
    all: {},
    // Everything below /private would be answered with a mark by which a test sees which route took it.
    guarded: {
      match: { path: '/private/{**rest}' },
      requestHeaders: { set: { 'x-route': 'guarded' } },
    },
    slashes: { match: { path: '/files/{name}/{**rest}' }, allowEncodedSlash: true },
  },
});

for (const [sent, forwarded] of [
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/%7Euser/%41%2d%5F', '/~user/A-_'],
  ['/caf%c3%a9/%e2%9c%93', '/caf%C3%A9/%E2%9C%93'],
  ['/a%20b%25c%3f%23', '/a%20b%25c%3F%23'],
  ['//a///b//', '/a/b/'],
  ['/./a/././b/.', '/a/b/'],
  ['/a/b/../c', '/a/c'],
  ['/a/b/..', '/a/'],
  ['/a/%2e%2E/b', '/b'],
  ['/a/b/../../', '/'],
  ['/a;v=1/b,c/d=e/f@g:h', '/a;v=1/b,c/d=e/f@g:h'],
  ['/!$&\'()*+|{}<>^`"[]', '/!$&\'()*+|{}<>^`"[]'],
  ['/...', '/...'],
  ['/..a/.b', '/..a/.b'],
  ['/%252e%252e/a', '/%252e%252e/a'],
  ['/a?', '/a?'],
  ['/a??', '/a??'],
  ['/a?b=%7e&c=/../d//e&%2F=\\&f=%zz&g', '/a?b=%7e&c=/../d//e&%2F=\\&f=%zz&g'],
  ['/a/../b?c=/../d', '/b?c=/../d'],
  ['//evil.example/x', '/evil.example/x'],
  ['/http://evil.example/x', '/http:/evil.example/x'],
  ['/@evil.example/', '/@evil.example/'],
  ['/:80/', '/:80/'],
  [`/${'a'.repeat(8_000)}`, `/${'a'.repeat(8_000)}`],
] as const) {
  t.test(`${sent.slice(0, 60)} is forwarded as ${forwarded.slice(0, 60)}`, async (t) => {
    const { received, response } = await proxied.exchange(formatRequest('GET', sent));
    t.equal(received.target, forwarded);
    t.equal(received.header('host'), `127.0.0.1:${proxied.origin.port}`);
    t.equal(response.status, 200);
  });
}

t.test('no spelling of a path gets around the route that guards it', async (t) => {
  for (const sent of [
    '/private/a',
    '//private/a',
    '/./private/a',
    '/public/../private/a',
    '/%70rivate/a',
    '/public/%2e%2e/private/a',
    '/private//a',
    '/private/./a',
    '/private/b/../a',
    'http://localhost/public/../private/a',
  ]) {
    const { received } = await proxied.exchange(formatRequest('GET', sent));
    t.same([received.target, received.header('x-route')], ['/private/a', 'guarded'], sent);
  }
});

t.test('paths are case-sensitive', async (t) => {
  const { received } = await proxied.exchange(formatRequest('GET', '/Private/a'));
  t.same([received.target, received.header('x-route')], ['/Private/a', undefined]);
});

for (const [sent, forwarded] of [
  ['http://api.example.com/a/../b?c', '/b?c'],
  ['HTTP://api.example.com', '/'],
  ['https://api.example.com:8443?q=1', '/?q=1'],
  ['http://api.example.com//x', '/x'],
] as const) {
  t.test(`the absolute form ${sent} is forwarded as ${forwarded}`, async (t) => {
    const { received } = await proxied.exchange(formatRequest('GET', sent));
    t.equal(received.target, forwarded);
    t.match(received.header('x-forwarded-host'), /^api\.example\.com/);
  });
}

for (const [fault, target] of [
  ['a backslash', '/a\\b'],
  ['an escaped backslash', '/a%5Cb'],
  ['an escaped backslash in lower case', '/a%5cb'],
  ['a fragment', '/a#b'],
  ['a fragment in the query', '/a?b#c'],
  ['an escaped NUL', '/a%00'],
  ['an escaped line end', '/a%0d%0ab'],
  ['an escaped DEL', '/a%7F'],
  ['a parameter on a dot segment', '/a/..;/b'],
  ['a named parameter on a dot segment', '/a/..;x=1/b'],
  ['an escaped parameter on a dot segment', '/a/%2e%2e%3Bx/b'],
  ['a parameter on a single dot', '/a/.;/b'],
  ['a way out of the root', '/..'],
  ['a way out of the root further on', '/a/../../b'],
  ['an escaped way out of the root', '/%2e%2e/%2E%2e/etc'],
  ['an encoded slash where no route allows it', '/a%2Fb'],
  ['an encoded slash in lower case', '/a%2fb'],
  ['an encoded slash beside a dot segment, even where allowed', '/files/..%2fx/y'],
  ['a malformed escape', '/a%zz'],
  ['a cut escape', '/a%2'],
  ['the asterisk form', '*'],
  ['the authority form', 'localhost:80'],
  ['another scheme', 'ftp://localhost/'],
  ['no leading slash', 'a/b'],
  ['an absolute form with user information', 'http://user@localhost/'],
  ['an absolute form without a host', 'http:///a'],
  ['an absolute form with a bad port', 'http://localhost:99999/'],
] as const) {
  t.test(`${fault} is refused: ${target}`, async (t) => {
    const method = target === '*' ? 'OPTIONS' : 'GET';
    const response = await proxied.requestForwardingNothing(formatRequest(method, target));
    t.equal(response.status, 400);
    t.match(problemCode(response), /^GW_ERR_BAD_(TARGET|REQUEST)$/);
  });
}

t.test('controls and bytes above ASCII in the target are refused', async (t) => {
  for (const target of ['/a\u0000b', '/a\tb', '/a\u007fb', '/caf\u00e9', '/a?\u00e9', '/a\rb']) {
    const response = await proxied.requestForwardingNothing(formatRequest('GET', target));
    t.equal(response.status, 400, JSON.stringify(target));
  }
});

t.test('a target that is too long gets 414', async (t) => {
  for (const target of [`/${'a'.repeat(8_192)}`, `/?${'a'.repeat(9_000)}`]) {
    const response = await proxied.requestForwardingNothing(formatRequest('GET', target));
    t.same(outcome(response), [414, 'GW_ERR_TARGET_TOO_LONG']);
  }
});

t.test('an encoded slash passes where the route allows it, as a part of its segment', async (t) => {
  const { received } = await proxied.exchange(formatRequest('GET', '/files/a%2fb/c%2Fd?e=%2f'));
  t.equal(received.target, '/files/a%2Fb/c%2Fd?e=%2f');
});

t.test('an encoded slash does not make a segment: `/private%2Fa` is not below /private', async (t) => {
  const response = await proxied.requestForwardingNothing(formatRequest('GET', '/private%2Fa'));
  t.same(outcome(response), [400, 'GW_ERR_BAD_TARGET']);
});
