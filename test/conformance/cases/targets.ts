/**
 * Which resource is it? Only /public/ is forwarded: a target that one server reads as below it and another as
 * beside it lets the client choose. A gateway may refuse such a target or forward a plain one.
 */
import { type CaseFamily, type CaseRow, casesOf } from '../conformance-case.ts';
import { declined, dropped, forwarded, type Requirement } from '../requirements.ts';
import { targetOf } from '../strict-reading.ts';
import { get, WEBSOCKET_FIELDS } from '../wire-text.ts';

const REFUSES = [declined('4xx', 501), dropped];

/** What servers in use make of a path: each takes one and gives another. */
const PATH_HABITS: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replaceAll(/;[^/]*/g, ''),
  (path) => path.replaceAll(/\/+/g, '/'),
  (path) => path.replace(/(#|\0).*$/s, ''),
];

function resolveDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

function decode(path: string): string {
  return path.replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** Whether nobody can read the target as one outside of /public/. */
function staysInside(target: string): boolean {
  const path = target.replace(/^https?:\/\/[^/]*/i, '').replace(/\?.*$/s, '');
  return [path, decode(path)]
    .flatMap((each) => PATH_HABITS.map((habit) => resolveDots(habit(each))))
    .every((each) => each.startsWith('/public/'));
}

const inside = forwarded('as a plain path below /public/', (request) => staysInside(targetOf(request)));
const asTarget = (what: string, pattern: RegExp) =>
  forwarded(what, (request) => pattern.test(targetOf(request)));

const row = (
  id: string,
  title: string,
  target: string,
  source = 'RFC 3986 §6.2.2; CVE-2019-9901',
  expects: readonly Requirement[] = [...REFUSES, inside],
): CaseRow => [id, title, source, get('', target), expects];

const JAVA = 'CVE-2021-29492 and kin: servers that cut parameters off first';
const SLASHES = 'RFC 3986 §2.2; CVE-2021-29492';
const CHARACTERS = 'RFC 3986 §3.3';

const TRAVERSALS: readonly CaseRow[] = [
  row('target-dots', 'Dot segments out of the prefix', '/public/../private'),
  row('target-dots-within', 'Dot segments that stay within', '/public/a/../b'),
  row('target-dots-escaped', 'Escaped dot segments', '/public/%2e%2e/private'),
  row('target-dots-half-escaped', 'A half-escaped dot segment in capitals', '/public/.%2E/private'),
  row('target-dots-at-end', 'A dot segment at the end', '/public/..'),
  row('target-root', 'A way out of the root', '/public/../../private'),
  row(
    'target-dots-slashes',
    'Dot segments behind two slashes',
    '/public//../private',
    'RFC 3986 §5.2.4: servers differ in the order',
  ),
  row(
    'target-dots-twice-escaped',
    'Dot segments escaped twice are no dot segments',
    '/public/%252e%252e/private',
    'CVE-2021-29492: decode once',
    [...REFUSES, asTarget('as it is', /^\/public\/%252e%252e\/private$/)],
  ),
  row('target-parameter', 'A parameter on a dot segment', '/public/..;/private', JAVA),
  row('target-parameter-named', 'A named parameter on a dot segment', '/public/..;a=b/private', JAVA),
  row('target-parameter-escaped', 'An escaped parameter on a dot segment', '/public/..%3B/private', JAVA),
  row('target-parameter-dot', 'A parameter on a single dot', '/public/.;/../private', JAVA),
  row('target-slash-escaped', 'An escaped slash beside a dot segment', '/public/..%2fprivate', SLASHES),
  row(
    'target-slash-escaped-both',
    'Escaped slashes around a dot segment',
    '/public/x%2F..%2F..%2Fprivate',
    SLASHES,
  ),
  row('target-backslash', 'Backslashes around a dot segment', '/public/..\\private', SLASHES),
  row(
    'target-backslash-escaped',
    'Escaped backslashes around a dot segment',
    '/public/..%5cprivate',
    SLASHES,
  ),
  row(
    'target-prefix-escaped',
    'The prefix itself with an escape',
    '/%70ublic/x',
    'RFC 3986 §6.2.2.2: the same path',
    [...REFUSES, asTarget('as the same path', /^\/(p|%70)ublic\/x$/)],
  ),
  row('target-prefix-slashes', 'Two slashes around the prefix', '//public//x', 'RFC 3986 §3.3', [
    ...REFUSES,
    asTarget('as a path', /^\/+public\/+x$/),
  ]),
  [
    'target-websocket',
    'A dot segment in the target of a WebSocket',
    'CVE-2026-15631',
    get(WEBSOCKET_FIELDS, '/public/..%2fprivate'),
    [...REFUSES, inside],
  ],
];

const SHAPES: readonly CaseRow[] = [
  row('target-slash-kept', 'An escaped slash is not a slash', '/public/a%2Fb', 'RFC 3986 §2.2', [
    ...REFUSES,
    asTarget('as it is', /^\/public\/a%2[Ff]b$/),
  ]),
  row('target-nul', 'An escaped NUL', '/public/x%00.png', CHARACTERS),
  row('target-line-end', 'Escaped line ends', '/public/x%0d%0aX-A:%20b', 'CWE-93', [
    ...REFUSES,
    asTarget('as it is', /^\/public\/x%0d%0a/i),
  ]),
  row('target-bad-escape', 'A malformed escape', '/public/%zz', CHARACTERS, [
    ...REFUSES,
    asTarget('as it is', /^\/public\/%zz$/),
    asTarget('with an escape', /^\/public\/%25zz$/),
  ]),
  row('target-fragment', 'A fragment', '/public/x#/../private', 'RFC 9112 §3.2: no part of a target', [
    ...REFUSES,
    asTarget('without it', /^\/public\/x$/),
  ]),
  row('target-two-slashes', 'Two slashes are no host', '//other.example/public/x', 'RFC 3986 §3.3', [
    ...REFUSES,
    asTarget('as a path', /^\/+other\.example\/public\/x$/),
  ]),
  row('target-at', 'An at sign behind the first slash', '/@other.example/public/x', 'RFC 3986 §3.3', [
    ...REFUSES,
    asTarget('as a path', /^\/@other/),
  ]),
  row('target-no-slash', 'A target that is no path', 'public/x', 'RFC 9112 §3.2'),
  row('target-authority', 'An authority on GET', 'localhost:80', 'RFC 9112 §3.2.3', REFUSES),
  row('target-asterisk', 'An asterisk on GET', '*', 'RFC 9112 §3.2.4', REFUSES),
  row('target-question-mark', 'A query without a path', '?/public/x', 'RFC 9112 §3.2.1', REFUSES),
];

export const TARGETS: CaseFamily = { title: 'Request targets', cases: casesOf([...TRAVERSALS, ...SHAPES]) };
