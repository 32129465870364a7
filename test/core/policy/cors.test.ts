import fc from 'fast-check';
import t from 'tap';
import type { Cors } from '../../../lib/core/config/model.ts';
import { CorsRules } from '../../../lib/core/policy/cors.ts';

const APP = 'https://app.example.com';

function rules(cors: Partial<Cors> = {}, methods?: readonly string[]): CorsRules {
  return new CorsRules({ origins: [APP], ...cors }, methods);
}

/** A flat list as an object; no name stands there twice. */
function fieldsOf(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let index = 0; index < flat.length; index += 2) {
    t.notOk(Object.hasOwn(fields, flat[index] ?? ''), 'a field stands there once');
    fields[flat[index] ?? ''] = flat[index + 1] ?? '';
  }
  return fields;
}

t.test('an origin is taken as a whole: scheme, host and port', async (t) => {
  const some = rules({ origins: [APP, 'http://127.0.0.1:3000', 'app://desktop'] });
  for (const origin of [APP, 'HTTPS://App.Example.com', 'http://127.0.0.1:3000', 'app://desktop'])
    t.ok(some.allows(origin), origin);
  const others = [
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com.evil.org',
    'https://evil-app.example.com',
    'https://app.example.com/',
    'https://app.example.com ',
    ' https://app.example.com',
    'http://127.0.0.1',
    'null',
    '*',
    '',
  ];
  for (const origin of others) t.notOk(some.allows(origin), JSON.stringify(origin));
});

t.test('a wildcard takes every name below, and nothing that only looks like one', async (t) => {
  const some = rules({ origins: ['https://*.example.com', 'http://*.local:8080'] });
  const allowed = [
    'https://a.example.com',
    'https://a.b.example.com',
    'https://my_app.example.com',
    'HTTPS://A.EXAMPLE.COM',
    'http://a.local:8080',
  ];
  for (const origin of allowed) t.ok(some.allows(origin), origin);
  const others = [
    'https://example.com',
    'https://.example.com',
    'https://evil-example.com',
    'https://evilexample.com',
    'http://a.example.com',
    'https://a.example.com:8443',
    'https://a.example.com.evil.org',
    'https://evil.org/.example.com',
    'https://evil.org#.example.com',
    'https://evil.org?.example.com',
    'https://evil.org\\.example.com',
    'https://evil.org:80@a.example.com',
    'https://evil.org:1.example.com',
    'https://evil.org%2f.example.com',
    'https://a.ex\u00e4mple.com',
    'http://a.local',
    'http://a.local:80800',
    'null',
  ];
  for (const origin of others) t.notOk(some.allows(origin), origin);
});

t.test('no origin of another site is taken for one below a wildcard', async () => {
  const some = rules({ origins: ['https://*.example.com'] });
  const text = fc.string({ unit: fc.constantFrom(...'ab.-_:/@#?%\\ example.com'), maxLength: 30 });
  fc.assert(
    fc.property(text, (name) => {
      const origin = `https://${name}.example.com`;
      if (!some.allows(origin)) return;
      const { protocol, hostname, port, pathname, username } = new URL(origin);
      if (protocol !== 'https:' || port !== '' || pathname !== '/' || username !== '')
        throw new Error(`more than a host: ${origin}`);
      if (!hostname.endsWith('.example.com')) throw new Error(`${hostname} is below nothing of ours`);
    }),
    { numRuns: 500 },
  );
});

t.test('who is not allowed is told nothing, but caches keep the answers apart', async (t) => {
  const all = rules({ credentials: true, exposeHeaders: ['x-total'] });
  for (const origin of ['https://evil.org', 'null', null]) {
    t.same(fieldsOf(all.answerHeaders(origin)), { vary: 'Origin' });
  }
  const vary = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';
  t.same(fieldsOf(all.preflightHeaders('https://evil.org', 'x-a')), { vary });
});

t.test('who is allowed is told what', async (t) => {
  const all = rules({ credentials: true, exposeHeaders: ['x-total', 'x-page'] });
  t.same(fieldsOf(all.answerHeaders(APP)), {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'x-total, x-page',
    vary: 'Origin',
  });
  t.same(fieldsOf(rules().answerHeaders(APP)), { 'access-control-allow-origin': APP, vary: 'Origin' });
});

t.test('where any origin is allowed all answers are alike, also those to requests without one', async (t) => {
  const any = rules({ origins: ['*'], exposeHeaders: ['x-total'] });
  for (const origin of [APP, 'https://evil.org', 'null', null]) {
    t.same(fieldsOf(any.answerHeaders(origin)), {
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'x-total',
    });
  }
});

t.test('a pre-flight is told methods, headers and for how long', async (t) => {
  const vary = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';
  t.same(fieldsOf(rules().preflightHeaders(APP, '')), {
    'access-control-allow-origin': APP,
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    'access-control-max-age': '600',
    vary,
  });
  const set: Partial<Cors> = {
    methods: ['PUT'],
    headers: ['x-a', 'x-b'],
    credentials: true,
    maxAgeSec: 0,
    exposeHeaders: ['x-total'],
  };
  t.same(fieldsOf(rules(set, ['GET']).preflightHeaders(APP, 'x-c')), {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'PUT',
    'access-control-allow-headers': 'x-a, x-b',
    'access-control-max-age': '0',
    vary,
  });
  const ofRoute = fieldsOf(rules({}, ['GET', 'POST']).preflightHeaders(APP, 'x-c, x-d'));
  t.equal(ofRoute['access-control-allow-methods'], 'GET, POST', 'the methods of the route');
  t.equal(ofRoute['access-control-allow-headers'], 'x-c, x-d', 'whichever headers it asks for');
  t.notOk('access-control-allow-headers' in fieldsOf(rules({ headers: [] }).preflightHeaders(APP, 'x-c')));
});
