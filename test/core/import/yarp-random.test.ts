/** Sections as somebody could have written them, and sections as nobody would: what comes out is always valid. */
import fc from 'fast-check';
import t from 'tap';
import { validateDocument } from '../../../lib/core/config/validate.ts';
import { importYarp } from '../../../lib/core/import/yarp.ts';

const id = fc.constantFrom('a', 'A', 'b', 'b c', 'c/d', '', '__proto__', 'constructor', '0');
const path = fc.constantFrom(
  '/',
  '/a',
  '/a/',
  'a/{id}',
  '/a/{id:int}',
  '/{id?}',
  '{**catch-all}',
  '/{a}-{b}',
  '/a//b',
  '/{x}/{x}',
  '/ü {',
  '/{**r}/x',
  '',
);
const header = fc.constantFrom(
  'x-a',
  'X-A',
  'host',
  'connection',
  'set-cookie',
  'a b',
  '__proto__',
  'expect',
  '',
);
const value = fc.constantFrom('', '1', 'Value', 'a\r\nb', 'é', '\u0100', 'x'.repeat(9_000));
const scalar = fc.oneof(
  fc.constantFrom<unknown>('true', 'False', true, null, '1', -1, 1e30, 'x', {}, []),
  fc.integer(),
);
const duration = fc.constantFrom('00:00:30', '-00:00:01', '00:00:00', '9.00:00:00', 'x');
const listOf = <T>(item: fc.Arbitrary<T>) =>
  fc.oneof(
    fc.array(item, { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('0', '1', 'x'), item, { maxKeys: 2 }),
    scalar,
  );

/** Any of these keys, some of them in another letter case. */
function section(keys: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(keys).map(([key, item]) =>
    fc.tuple(fc.constantFrom(key, key.toLowerCase()), item),
  );
  return fc
    .subarray(entries)
    .chain((chosen) => fc.tuple(...chosen).map((pairs) => Object.fromEntries(pairs)));
}

const predicate = section({
  Name: header,
  Mode: fc.constantFrom(
    'ExactHeader',
    'Prefix',
    'contains',
    'NotContains',
    'Exists',
    'NotExists',
    'Regex',
    '',
  ),
  Values: listOf(value),
  IsCaseSensitive: scalar,
});
const named = (key: string, item: fc.Arbitrary<unknown>) => item.map((content) => ({ [key]: content }));
const transform = fc.oneof(
  ...['PathSet', 'PathPrefix', 'PathRemovePrefix', 'PathPattern'].map((key) => named(key, path)),
  ...['RequestHeader', 'ResponseHeader'].map((key) =>
    section({ [key]: header, Set: value, Append: value, When: value }),
  ),
  ...['RequestHeaderRemove', 'ResponseHeaderRemove', 'X-Forwarded', 'Other'].map((key) => named(key, header)),
  named('RequestHeaderOriginalHost', scalar),
  scalar,
);
const route = section({
  RouteId: id,
  ClusterId: fc.constantFrom('a', 'A', 'b c', 'gone'),
  Order: scalar,
  Match: section({
    Path: path,
    Hosts: listOf(fc.constantFrom('a.de', 'A.de:80', '*', '*.a.de', '*.*', 'ü.de', '[::1]:1', ':', '')),
    Methods: listOf(fc.constantFrom('GET', 'get', 'TRACE', 'a b', '')),
    Headers: listOf(predicate),
    QueryParameters: listOf(predicate),
  }),
  Transforms: listOf(transform),
  MaxRequestBodySize: scalar,
  AuthorizationPolicy: value,
  Timeout: duration,
});
const address = fc.constantFrom(
  'http://a',
  'https://a:1/x/',
  'ftp://a',
  'http://u:p@a',
  'http://a?b',
  'x',
  '',
);
const cluster = section({
  LoadBalancingPolicy: fc.constantFrom('Random', 'x', ''),
  Destinations: fc.dictionary(id, section({ Address: address, Host: value })),
  HttpClient: section({ MaxConnectionsPerServer: scalar, DangerousAcceptAnyServerCertificate: scalar }),
  HttpRequest: section({ ActivityTimeout: duration, Version: scalar }),
  HealthCheck: section({ Active: section({ Enabled: scalar }), AvailableDestinationsPolicy: value }),
  SessionAffinity: section({ Enabled: scalar }),
});
const yarp = section({
  Routes: fc.oneof(fc.dictionary(id, route), fc.array(route, { maxLength: 6 })),
  Clusters: fc.oneof(
    fc.dictionary(id, cluster),
    fc.constant({ a: { Destinations: { d: { Address: 'http://a' } } } }),
  ),
});

const countOf = (entries: object | undefined): number => Object.keys(entries ?? {}).length;

t.test('what comes out of a random section is valid, and what is missing is noted', async (t) => {
  let routes = 0;
  fc.assert(
    fc.property(yarp, (input) => {
      const before = JSON.stringify(input);
      const { document, notes } = importYarp(input);
      routes += countOf(document.routes);
      const { problems } = validateDocument(document);
      const given =
        countOf((input.Routes ?? input.routes) as object) +
        countOf((input.Clusters ?? input.clusters) as object);
      const isComplete = countOf(document.routes) + countOf(document.clusters) >= given;
      return problems.length === 0 && (isComplete || notes.length > 0) && JSON.stringify(input) === before;
    }),
    { numRuns: 500 },
  );
  t.ok(routes > 0, 'some routes came through');
});

t.test('nothing makes it throw', async () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 6 }), (input) => {
      const { document } = importYarp(input);
      const nested = importYarp({ Routes: { r: input }, Clusters: input });
      return [document, nested.document].every((result) => validateDocument(result).problems.length === 0);
    }),
    { numRuns: 500 },
  );
});
