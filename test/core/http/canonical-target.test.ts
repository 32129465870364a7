import fc from 'fast-check';
import t from 'tap';
import { MAX_TARGET_CHARACTERS, parseTarget } from '../../../lib/core/http/canonical-target.ts';

t.test('a canonical path comes back as it is', async (t) => {
  const canonical = [
    '/',
    '/orders',
    '/orders/',
    '/orders/42/items',
    '/.well-known/jwks.json',
    '/a.b/..c/...',
    '/a%20b/%C3%A9/%25/%3F%23',
    "/a;v=1/b,c/@d:e/(f)*!$&'+=",
    '/~user/under_score-hyphen',
    '/template/{id}/[0]|"<>^`',
    '/a..;b',
    '/....;x',
  ];
  for (const path of canonical) {
    const target = parseTarget(path);
    t.equal(target.problem, null, path);
    t.equal(target.path, path);
    t.equal(target.hasQuery, false);
    t.equal(target.query, '');
    t.equal(target.authority, null);
    t.equal(target.hasEncodedSlash, false);
  }
});

t.test('other spellings of a path become the canonical one', async (t) => {
  const spellings: [string, string][] = [
    ['/%61%2D%2e%5F%7e%5A%39', '/a-._~Z9'],
    ['/%c3%a9/%3a', '/%C3%A9/%3A'],
    ['/a%2fB/c', '/a%2FB/c'],
    ['//evil.example/x', '/evil.example/x'],
    ['///', '/'],
    ['/a//b///c//', '/a/b/c/'],
    ['/a/./b/.', '/a/b/'],
    ['/a/b/..', '/a/'],
    ['/a/b/../', '/a/'],
    ['/a/..', '/'],
    ['/./a', '/a'],
    ['/.', '/'],
    ['/a/b/../../c', '/c'],
    ['/a//../b', '/b'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/.%2e/b', '/b'],
    ['/a/%2e/b', '/a/b'],
    ['/a/%2E%2e', '/'],
    ['/%252e%252e/x', '/%252e%252e/x'],
    ['/%25%32%65', '/%252e'],
    ['/..a/.b', '/..a/.b'],
  ];
  for (const [spelling, canonical] of spellings) {
    const target = parseTarget(spelling);
    t.equal(target.problem, null, spelling);
    t.equal(target.path, canonical, spelling);
  }
});

t.test('a spelling that servers read differently is refused, and the problem says why', async (t) => {
  const refusals: [string, string][] = [
    ['/a\\b', 'backslash'],
    ['/a%5cb', 'backslash'],
    ['/a%5Cb', 'backslash'],
    ['/..\\x', 'backslash'],
    ['/a#b', 'fragment'],
    ['/a?b#c', 'fragment'],
    ['/#', 'fragment'],
    ['/a b', 'space'],
    ['/a?b c', 'space'],
    ['/a\u0000', 'control character'],
    ['/a\tb', 'control character'],
    ['/a\r\nb', 'control character'],
    ['/a\u007f', 'control character'],
    ['/a?\u007f', 'control character'],
    ['/a?\n', 'control character'],
    ['/caf\u00e9', 'non-ASCII character'],
    ['/a?\u00e9', 'non-ASCII character'],
    ['/\u0080', 'non-ASCII character'],
    ['/\u2025/x', 'non-ASCII character'],
    ['/%00', 'escaped control character'],
    ['/a%0d%0aX', 'escaped control character'],
    ['/%1F', 'escaped control character'],
    ['/%7f', 'escaped control character'],
    ['/%7F', 'escaped control character'],
    ['/%', 'malformed escape'],
    ['/a%2', 'malformed escape'],
    ['/%zz', 'malformed escape'],
    ['/%4g', 'malformed escape'],
    ['/%%32%65', 'malformed escape'],
    ['/%?2e', 'malformed escape'],
    ['/..', 'escapes the root'],
    ['/../', 'escapes the root'],
    ['/a/../../b', 'escapes the root'],
    ['/a/%2e%2e/%2e%2e/a', 'escapes the root'],
    ['//..', 'escapes the root'],
    ['/a//../..', 'escapes the root'],
    ['/..;/a', 'parameter on a dot segment'],
    ['/a/..;x=1/b', 'parameter on a dot segment'],
    ['/a/.;/b', 'parameter on a dot segment'],
    ['/a/..%3bx', 'parameter on a dot segment'],
    ['/a/%2e%2E%3B', 'parameter on a dot segment'],
    ['/a/.%3b', 'parameter on a dot segment'],
    ['/a%2f..;/b', 'parameter on a dot segment'],
    ['/a/..%2Fb', 'encoded slash beside a dot segment'],
    ['/a%2F..%2Fb', 'encoded slash beside a dot segment'],
    ['/a%2f%2e%2e', 'encoded slash beside a dot segment'],
    ['/a%2F.', 'encoded slash beside a dot segment'],
    ['/%2F..', 'encoded slash beside a dot segment'],
  ];
  for (const [spelling, problem] of refusals) {
    const target = parseTarget(spelling);
    t.equal(target.problem, problem, JSON.stringify(spelling));
    t.equal(target.path, '', 'a refused target has no path that could be used by mistake');
  }
});

t.test('an encoded slash is left to the route', async (t) => {
  t.equal(parseTarget('/files/a%2fb').hasEncodedSlash, true);
  t.equal(parseTarget('/files/a%2fb').path, '/files/a%2Fb');
  t.equal(
    parseTarget('/files/..a%2F.b').problem,
    null,
    'names that only begin with a dot are no dot segments',
  );
  t.equal(parseTarget('/files/a%252fb').hasEncodedSlash, false);
  t.equal(parseTarget('/files?x=%2f').hasEncodedSlash, false, 'a query may hold one');
  t.equal(parseTarget('/a%2Fb/../c').hasEncodedSlash, false, 'one that was resolved away does not count');
});

t.test('the query is kept as it came', async (t) => {
  const queries: [string, string, boolean][] = [
    ['/a', '', false],
    ['/a?', '', true],
    ['/a?x=1&y=%2e%zz%', 'x=1&y=%2e%zz%', true],
    ['/a?b?c', 'b?c', true],
    ['/a?\\..\\', '\\..\\', true],
    ['/a?/../..//%00', '/../..//%00', true],
    ['/a?"<>{}|^`', '"<>{}|^`', true],
  ];
  for (const [spelling, query, hasQuery] of queries) {
    const target = parseTarget(spelling);
    t.same(
      [target.path, target.query, target.hasQuery, target.problem],
      ['/a', query, hasQuery, null],
      spelling,
    );
  }
  t.same(
    [parseTarget('//a/./?x').path, parseTarget('//a/./?x').query],
    ['/a/', 'x'],
    'beside a path to mend',
  );
});

t.test('an absolute-form target gives its authority', async (t) => {
  const targets: [string, string, string, string][] = [
    ['http://api.example.com/a?b', 'api.example.com', '/a', 'b'],
    ['HTTPS://API.example.com:8443/a', 'API.example.com:8443', '/a', ''],
    ['http://host', 'host', '/', ''],
    ['http://host?x', 'host', '/', 'x'],
    ['http://host//a/../b', 'host', '/b', ''],
    ['http://[::1]:8080/', '[::1]:8080', '/', ''],
  ];
  for (const [spelling, authority, path, query] of targets) {
    const target = parseTarget(spelling);
    t.same(
      [target.authority, target.path, target.query, target.problem],
      [authority, path, query, null],
      spelling,
    );
  }
});

t.test('other forms and bad authorities are refused', async (t) => {
  const refusals: [string, string][] = [
    ['', 'unsupported form'],
    ['*', 'unsupported form'],
    ['orders', 'unsupported form'],
    ['?x', 'unsupported form'],
    ['example.com:443', 'unsupported form'],
    ['ftp://example.com/', 'unsupported form'],
    ['http:/example.com', 'unsupported form'],
    [' http://example.com', 'unsupported form'],
    ['\\x', 'unsupported form'],
    ['http://', 'empty authority'],
    ['http:///x', 'empty authority'],
    ['https://?x', 'empty authority'],
    ['http://user@host/', 'user information'],
    ['http://user:secret@host/', 'user information'],
    ['http://:80/', 'malformed authority'],
    ['http://host:99999/', 'malformed authority'],
    ['http://a\\b/', 'malformed authority'],
    ['http://a b/', 'malformed authority'],
    ['http://a%2eb/', 'malformed authority'],
    ['http://host/\\', 'backslash'],
    ['http://host#x', 'fragment'],
    ['http://host/..', 'escapes the root'],
  ];
  for (const [spelling, problem] of refusals)
    t.equal(parseTarget(spelling).problem, problem, JSON.stringify(spelling));
});

t.test('a target may be 8,192 characters long, not one more', async (t) => {
  const longest = `/${'a'.repeat(MAX_TARGET_CHARACTERS - 1)}`;
  t.equal(MAX_TARGET_CHARACTERS, 8_192);
  t.equal(parseTarget(longest).path, longest);
  t.equal(parseTarget(`${longest}a`).problem, 'too long');
  t.equal(parseTarget(`/?${'a'.repeat(MAX_TARGET_CHARACTERS)}`).problem, 'too long');
});

/** Targets that are mostly made of what is hard about them. */
const hardTargets = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('/', '//', '.', '..', '/../', '/./', 'a', 'Bc', '%2e', '%2E%2e', '~'),
      },
      {
        weight: 4,
        arbitrary: fc.constantFrom('%2f', '%2F', '%3b', ';', '%25', '%41', '%7e', '%c3%A9', '%20', '%5B'),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom('?', '%', '%5c', '\\', '#', '%00', 'http://h', '?x=/../', '%252e'),
      },
      { weight: 1, arbitrary: fc.string({ maxLength: 3, unit: 'binary' }) },
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join('')}`);

t.test('a canonical path is a fixed point and holds nothing that could be read in two ways', async (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(hardTargets, (spelling) => {
      const target = parseTarget(spelling);
      if (target.problem !== null) return target.path === '' && target.query === '';
      accepted++;
      const again = parseTarget(target.path);
      const unambiguous =
        target.path.startsWith('/') &&
        !target.path.includes('//') &&
        !/(?:^|\/|%2F)\.{1,2}(?:$|\/|;|%2F|%3B)/.test(target.path) &&
        hasOnlyCanonicalEscapes(target.path) &&
        !/[\\#?\s]|[^!-~]/.test(target.path);
      return (
        unambiguous &&
        again.problem === null &&
        again.path === target.path &&
        again.hasEncodedSlash === target.hasEncodedSlash &&
        target.hasEncodedSlash === target.path.includes('%2F')
      );
    }),
    { numRuns: 5_000 },
  );
  t.ok(accepted > 500, `${accepted} targets were accepted`);
});

function hasOnlyCanonicalEscapes(path: string): boolean {
  const escapes = path.match(/%../g) ?? [];
  return escapes.every((code) => /^%[0-9A-F]{2}$/.test(code) && !/[A-Za-z0-9._~-]/.test(characterOf(code)));
}

function characterOf(code: string): string {
  return String.fromCharCode(Number.parseInt(code.slice(1), 16));
}

t.test('the path equals what WHATWG URL makes of it once escapes and slashes are mended', async (t) => {
  const part = fc.constantFrom(
    '/',
    '//',
    '/',
    '.',
    '..',
    '/../',
    '/./',
    'a',
    'b-',
    '%2e',
    '%2E',
    '%61',
    '%7E',
    '%c3%a9',
    '%3f',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
      const spelling = `/${parts.join('')}`;
      const target = parseTarget(spelling);
      const expected = referencePath(spelling);
      if (expected === null) return target.problem === 'escapes the root';
      return target.problem === null && target.path === expected;
    }),
    { numRuns: 5_000 },
  );
  t.pass('equal for all');
});

/** The canonical path by other means; null where it climbs above the marker that stands for the root. */
function referencePath(spelling: string): string | null {
  const mended = spelling
    .replaceAll(/%[0-9a-f]{2}/gi, (code) => {
      const character = characterOf(code);
      return /[A-Za-z0-9\-._~]/.test(character) ? character : code.toUpperCase();
    })
    .replaceAll(/\/+/g, '/');
  const resolved = new URL(`http://host/ROOT${mended}`).pathname;
  return resolved.startsWith('/ROOT/') ? resolved.slice('/ROOT'.length) : null;
}

t.test('whatever a target is, reading it does not throw and any problem is named', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const target = parseTarget(text);
      return target.problem === null ? target.path.startsWith('/') : target.problem.length > 0;
    }),
    { numRuns: 1_000 },
  );
  t.pass('never throws');
});
