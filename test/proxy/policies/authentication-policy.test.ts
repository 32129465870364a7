/** Who is let through by a route's `auth`, with real issuers, consumers and passwords. */
import t from 'tap';
import { digestOfApiKey, formatKeyHash } from '../../../lib/auth/api-key.ts';
import { ConsumerIndex } from '../../../lib/auth/consumer-index.ts';
import { Materials } from '../../../lib/auth/materials.ts';
import { hashPassword } from '../../../lib/auth/password-hash.ts';
import { PasswordVerifier } from '../../../lib/auth/password-verifier.ts';
import { TokenIssuer } from '../../../lib/auth/token-issuer.ts';
import type { Issuer, RouteAuth } from '../../../lib/core/config/model.ts';
import { ERRORS, type ErrorDefinition } from '../../../lib/core/errors.ts';
import { AuthenticationPolicy } from '../../../lib/proxy/policies/authentication-policy.ts';
import { Passage } from '../../../lib/proxy/policies/passage.ts';
import { RateLimitKey } from '../../../lib/proxy/policies/rate-limit-key.ts';
import type { Verdict } from '../../../lib/proxy/policies/verdict.ts';
import { CLAIMS, EC, KEY_SET, KEYS_URL, RSA, signed } from '../../auth/issuer-maker.ts';
import { admittedGet } from './admitted-request.ts';

const PASSWORD_HASH = await hashPassword('s3cret:pässwort', { logN: 14, blockSize: 8, parallelism: 1 });
const KEY = 'fgk_the-key-of-the-shop';
const OTHER_ISSUER = 'https://other.example.com/';

function tokenOf(claims: object = {}, header: object = {}, key = RSA): string {
  return signed({ exp: Date.now() / 1_000 + 600, ...claims }, header, key);
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** What a worker holds: two issuers, one of whose names is shared by a third, and two consumers. */
class Trusting {
  readonly consumers = new ConsumerIndex();
  readonly passwords = new PasswordVerifier();
  readonly materials = new Materials(() => {});
  readonly #issuers = new Map<string, TokenIssuer>();

  constructor() {
    this.addIssuer('main', { claimHeaders: { 'x-user-id': 'sub', 'x-tenant-id': 'tenant.id' } });
    this.addIssuer('other', { issuer: OTHER_ISSUER });
    this.addIssuer('partner', { audience: ['partners'] });
    this.consumers.put('shop', {
      apiKeys: [{ hash: formatKeyHash(digestOfApiKey(KEY)) }],
      passwords: [{ username: 'alice', hash: PASSWORD_HASH }],
      scopes: ['read'],
      roles: ['clerk'],
    });
    this.consumers.put('kiosk', { apiKeys: [{ hash: formatKeyHash(digestOfApiKey('kiosk-key')) }] });
  }

  addIssuer(id: string, changes: Partial<Issuer>): void {
    const base = { issuer: CLAIMS.iss, audience: ['orders'], algorithms: ['RS256', 'ES256'] as const };
    const keys = 'jwksUrl' in changes ? {} : { jwks: KEY_SET };
    const settings: Issuer = { ...base, algorithms: [...base.algorithms], ...keys, ...changes };
    this.#issuers.set(id, new TokenIssuer(id, settings, this.materials));
  }

  removeIssuer(id: string): void {
    this.#issuers.delete(id);
  }

  issuer(id: string): TokenIssuer | undefined {
    return this.#issuers.get(id);
  }

  policy(auth: RouteAuth): AuthenticationPolicy {
    return new AuthenticationPolicy(auth, { trust: this, passwords: this.passwords });
  }

  async decide(auth: RouteAuth, fields: readonly string[], query = ''): Promise<Decided> {
    const passage = passageOf(fields, query);
    return { verdict: await this.policy(auth).decide(passage), passage };
  }
}

interface Decided {
  readonly verdict: Verdict;
  readonly passage: Passage;
}

function passageOf(fields: readonly string[], query = ''): Passage {
  const target = query === '' ? '/' : `/?${query}`;
  const request = admittedGet(target, ['Host', 'api.example.com', ...fields]);
  return new Passage(request, '192.0.2.1', 'https', false);
}

function refusalOf({ verdict }: Decided) {
  if (verdict?.kind !== 'refusal') throw new Error(`this is no refusal: ${JSON.stringify(verdict)}`);
  return verdict;
}

function errorOf(decided: Decided): ErrorDefinition {
  return refusalOf(decided).error;
}

function challengesOf(decided: Decided): readonly string[] {
  return refusalOf(decided).headers.filter((_, index) => index % 2 === 1);
}

const trusting = new Trusting();
const ALL: RouteAuth = {
  issuers: ['main', 'other'],
  apiKey: { query: 'api_key', header: 'x-api-key' },
  basic: {},
};

t.test('a JWT: who comes is known, and the origin is told by the claims that are there', async (t) => {
  const claims = { scope: 'read write', roles: ['clerk'] };
  const { verdict, passage } = await trusting.decide({ issuers: ['main'] }, [
    'authorization',
    `Bearer ${tokenOf(claims)}`,
  ]);
  t.equal(verdict, null);
  t.match(passage.identity, {
    method: 'jwt',
    consumer: 'main:alice',
    scopes: ['read', 'write'],
    roles: ['clerk'],
    claims: { sub: 'alice' },
  });
  t.same(passage.originHeaders, ['x-user-id', 'alice'], 'no empty header for the claim that is missing');
  const withTenant = await trusting.decide({ issuers: ['main'] }, [
    'authorization',
    `Bearer ${tokenOf({ tenant: { id: 'acme' } })}`,
  ]);
  t.same(withTenant.passage.originHeaders, ['x-user-id', 'alice', 'x-tenant-id', 'acme']);
});

t.test('a claim that cannot stand in a header leaves none', async (t) => {
  const token = tokenOf({ sub: 'a\r\nx-admin: 1' });
  const { verdict, passage } = await trusting.decide({ issuers: ['main'] }, [
    'authorization',
    `Bearer ${token}`,
  ]);
  t.equal(verdict, null);
  t.same(passage.originHeaders, []);
});

t.test('an API key and a password: the consumer is known, and the origin is told its id', async (t) => {
  const ways: readonly (readonly [string, readonly string[], string])[] = [
    ['apiKey', ['X-Api-Key', KEY], ''],
    ['apiKey', [], `api_key=${KEY}`],
    ['basic', ['authorization', basic('alice', 's3cret:pässwort')], ''],
  ];
  for (const [method, fields, query] of ways) {
    const { verdict, passage } = await trusting.decide(ALL, fields, query);
    t.equal(verdict, null, method);
    t.same(passage.identity, { method, consumer: 'shop', scopes: ['read'], roles: ['clerk'], claims: null });
    t.same(passage.originHeaders, ['x-consumer-id', 'shop']);
  }
});

t.test('nothing presented: 401 with what would be accepted, and no word of an error', async (t) => {
  const decided = await trusting.decide(ALL, []);
  t.equal(errorOf(decided), ERRORS.unauthenticated);
  t.same(challengesOf(decided), [
    'Bearer realm="gateway"',
    'Basic realm="gateway", charset="UTF-8"',
    'ApiKey realm="gateway"',
  ]);
  t.equal(decided.passage.identity, null);
});

t.test('a token that is not valid: 401, whatever is wrong, and whatever else is presented', async (t) => {
  const wrong = [
    tokenOf({ iss: 'https://evil.example.com/' }),
    tokenOf({ aud: 'another' }),
    tokenOf({}, {}, { ...EC, algorithm: 'ES256' }),
    `${tokenOf().slice(0, -8)}AAAAAAAA`,
    'no.jwt.at all',
    KEY,
    '',
  ];
  for (const token of wrong) {
    const decided = await trusting.decide(ALL, ['authorization', `Bearer ${token}`, 'x-api-key', KEY]);
    t.equal(errorOf(decided), ERRORS.unauthenticated, token.slice(0, 20));
    t.equal(refusalOf(decided).detail, null, 'nothing that helps to guess');
    t.equal(challengesOf(decided)[0], 'Bearer realm="gateway", error="invalid_token"');
    t.same(decided.passage.originHeaders, []);
  }
});

t.test('an expired token: 401, and the client learns that', async (t) => {
  const decided = await trusting.decide(ALL, ['authorization', `Bearer ${tokenOf({ exp: 1_000 })}`]);
  t.equal(refusalOf(decided).detail, 'the token has expired');
  t.match(challengesOf(decided)[0], 'error="invalid_token"');
});

t.test('a key or password that is not valid: 401, whatever else is presented', async (t) => {
  const valid = ['cookie', `session=${tokenOf()}`];
  const auth: RouteAuth = { ...ALL, tokenFrom: { cookie: 'session' } };
  t.equal((await trusting.decide(auth, valid)).verdict, null);
  for (const fields of [
    ['x-api-key', 'another'],
    ['x-api-key', ''],
    ['authorization', basic('alice', 'guess')],
    ['authorization', basic('nobody', 'guess')],
    ['authorization', 'Basic %%%'],
  ]) {
    const decided = await trusting.decide(auth, [...fields, ...valid]);
    t.equal(errorOf(decided), ERRORS.unauthenticated, fields.join(' '));
    t.equal(challengesOf(decided).length, 3);
    t.notMatch(challengesOf(decided).join(), 'error=', 'no token was presented');
  }
});

t.test('more than one of a kind: 401 that says so', async (t) => {
  const bearer = `Bearer ${tokenOf()}`;
  const twice = await trusting.decide(ALL, ['authorization', bearer, 'Authorization', bearer]);
  t.equal(errorOf(twice), ERRORS.unauthenticated);
  t.match(refusalOf(twice).detail, 'more than one Authorization field');
  t.match(
    refusalOf(await trusting.decide(ALL, ['x-api-key', KEY], `api_key=${KEY}`)).detail,
    'more than one',
  );
});

t.test('no credential shows in what is said of a refusal', async (t) => {
  const secrets = [KEY, 'guess', tokenOf({ aud: 'another' })];
  const decisions = await Promise.all([
    trusting.decide(ALL, ['x-api-key', KEY, 'x-api-key', KEY]),
    trusting.decide(ALL, ['authorization', basic('alice', 'guess')]),
    trusting.decide(ALL, ['authorization', `Bearer ${secrets[2]}`]),
    trusting.decide({ ...ALL, scopes: ['write'] }, ['x-api-key', KEY]),
  ]);
  for (const decided of decisions) {
    const said = JSON.stringify(refusalOf(decided));
    for (const secret of secrets) t.notOk(said.includes(secret));
  }
});

t.test('who may not: 403 with the scopes that are needed', async (t) => {
  const auth: RouteAuth = { ...ALL, scopes: ['read', 'write'], roles: ['clerk'] };
  const bearer = (claims: object) => ['authorization', `Bearer ${tokenOf(claims)}`];
  t.equal((await trusting.decide(auth, bearer({ scope: 'write read', roles: 'clerk' }))).verdict, null);
  for (const fields of [
    bearer({ scope: 'read', roles: 'clerk' }),
    bearer({ scope: 'read write' }),
    ['x-api-key', KEY],
  ]) {
    const decided = await trusting.decide(auth, fields);
    t.equal(errorOf(decided), ERRORS.accessDenied);
    t.same(challengesOf(decided), ['Bearer realm="gateway", error="insufficient_scope", scope="read write"']);
    t.same(decided.passage.originHeaders, []);
  }
});

t.test('claims are asked of tokens, and a list of consumers of consumers', async (t) => {
  const byClaim: RouteAuth = { ...ALL, claims: { 'tenant.id': ['acme'] } };
  const token = tokenOf({ tenant: { id: 'acme' } });
  t.equal((await trusting.decide(byClaim, ['authorization', `Bearer ${token}`])).verdict, null);
  t.equal(
    errorOf(await trusting.decide(byClaim, ['authorization', `Bearer ${tokenOf()}`])),
    ERRORS.accessDenied,
  );
  t.equal(errorOf(await trusting.decide(byClaim, ['x-api-key', KEY])), ERRORS.accessDenied);
  const byConsumer: RouteAuth = { ...ALL, consumers: ['shop'] };
  t.equal((await trusting.decide(byConsumer, ['x-api-key', KEY])).verdict, null);
  t.equal((await trusting.decide(byConsumer, ['authorization', `Bearer ${tokenOf()}`])).verdict, null);
  t.equal(errorOf(await trusting.decide(byConsumer, ['x-api-key', 'kiosk-key'])), ERRORS.accessDenied);
});

t.test('of several issuers the one that the token names decides', async (t) => {
  const of = (claims: object) => ['authorization', `Bearer ${tokenOf(claims)}`];
  const { passage } = await trusting.decide(ALL, of({ iss: OTHER_ISSUER }));
  t.equal(passage.identity?.consumer, 'other:alice');
  const again = await trusting.decide(ALL, of({ iss: OTHER_ISSUER }));
  t.equal(again.passage.identity?.consumer, 'other:alice', 'also when it is remembered');
  const notHere = await trusting.decide({ issuers: ['main', 'partner'] }, of({ iss: OTHER_ISSUER }));
  t.equal(errorOf(notHere), ERRORS.unauthenticated, 'valid elsewhere, not on this route');
});

t.test(
  'a token that names nobody shares no budget with others like it, and the log says nothing',
  async (t) => {
    for (const sub of [undefined, '']) {
      const { verdict, passage } = await trusting.decide({ issuers: ['main'] }, [
        'authorization',
        `Bearer ${tokenOf({ sub })}`,
      ]);
      t.equal(verdict, null);
      t.equal(passage.identity?.consumer, null);
      const key = new RateLimitKey({ source: 'consumer' }, 'limit');
      t.equal(key.of(passage), 'limit address 192.0.2.1');
    }
  },
);

t.test('what the token says goes before what the certificate said by the same name', async (t) => {
  const decide = async (token: string) => {
    const passage = passageOf(['authorization', `Bearer ${token}`]);
    passage.originHeaders.push('X_User_Id', 'of the certificate', 'x-device', 'of the certificate');
    t.equal(await trusting.policy({ issuers: ['main'] }).decide(passage), null);
    return passage.originHeaders;
  };
  const device = ['x-device', 'of the certificate'];
  t.same(await decide(tokenOf()), [...device, 'x-user-id', 'alice']);
  t.same(await decide(tokenOf({ sub: undefined })), device, 'also where it says nothing');
});

t.test('issuers that share a name differ by audience', async (t) => {
  const auth: RouteAuth = { issuers: ['main', 'partner'] };
  const token = tokenOf({ aud: 'partners' });
  for (const time of ['first', 'second']) {
    const { passage } = await trusting.decide(auth, ['authorization', `Bearer ${token}`]);
    t.equal(passage.identity?.consumer, 'partner:alice', time);
  }
});

t.test('no keys were ever got: 503, to come again', async (t) => {
  const own = new Trusting();
  own.addIssuer('main', { jwksUrl: KEYS_URL });
  own.materials.take([{ name: `jwks:${KEYS_URL}`, value: null }]);
  const pending = own.decide({ issuers: ['main'] }, ['authorization', `Bearer ${tokenOf()}`]);
  own.materials.settle(`jwks:${KEYS_URL}`, false);
  const decided = await pending;
  t.equal(errorOf(decided), ERRORS.keysUnavailable);
  t.same(refusalOf(decided).headers, ['retry-after', '5']);
});

t.test('keys that arrive while a request waits are used', async (t) => {
  const own = new Trusting();
  own.addIssuer('main', { jwksUrl: KEYS_URL, claimHeaders: { 'x-user-id': 'sub' } });
  const pending = own.decide({ issuers: ['main'] }, ['authorization', `Bearer ${tokenOf()}`]);
  own.materials.take([{ name: `jwks:${KEYS_URL}`, value: JSON.stringify(KEY_SET) }]);
  const { verdict, passage } = await pending;
  t.equal(verdict, null);
  t.same(passage.originHeaders, ['x-user-id', 'alice']);
});

t.test('what is known already is decided without a promise', async (t) => {
  const fields = ['authorization', `Bearer ${tokenOf()}`];
  t.equal(trusting.policy(ALL).decide(passageOf(fields)), null);
  t.equal(trusting.policy(ALL).decide(passageOf(['x-api-key', KEY])), null);
  const password = ['authorization', basic('alice', 's3cret:pässwort')];
  await trusting.decide(ALL, password);
  t.equal(trusting.policy(ALL).decide(passageOf(password)), null);
});

t.test('consumers and issuers that change are seen at once, by the same policy', async (t) => {
  const own = new Trusting();
  const policy = own.policy(ALL);
  const [key, bearer] = [
    ['x-api-key', KEY],
    ['authorization', `Bearer ${tokenOf()}`],
  ];
  t.equal(await policy.decide(passageOf(key)), null);
  t.equal(await policy.decide(passageOf(bearer)), null);
  own.consumers.delete('shop');
  own.removeIssuer('main');
  t.match(await policy.decide(passageOf(key)), { error: ERRORS.unauthenticated });
  t.match(await policy.decide(passageOf(bearer)), { error: ERRORS.unauthenticated });
});

t.test('who guesses passwords waits: 429', async (t) => {
  const own = new Trusting();
  const guess = ['authorization', basic('alice', 'guess')];
  let decided = await own.decide(ALL, guess);
  let free = 0;
  // Ten are free, and one more every six seconds: slow guesses are more.
  for (; free < 40 && errorOf(decided) === ERRORS.unauthenticated; free += 1)
    decided = await own.decide(ALL, guess);
  t.ok(free >= 10, `${free} guesses`);
  t.equal(errorOf(decided), ERRORS.tooManyAttempts);
  t.match(refusalOf(decided).headers, ['retry-after', /^[1-6]$/]);
  t.equal((await own.decide(ALL, ['x-api-key', KEY])).verdict, null, 'keys are nothing to guess');
});

t.test('more passwords at once than can be verified: 503', async (t) => {
  const own = new Trusting();
  const decisions = await Promise.all(
    Array.from({ length: 70 }, (_, count) =>
      own.decide({ basic: {} }, ['authorization', basic('alice', `guess ${count}`)]),
    ),
  );
  const refused = decisions.filter((decided) => errorOf(decided) === ERRORS.overloaded);
  t.ok(refused.length >= 4, 'two run and 64 wait');
  t.same(refusalOf(refused[0]!).headers, ['retry-after', '1']);
});

const PLACES: RouteAuth = { ...ALL, tokenFrom: { cookie: 'session', query: 'access_token' } };

function withheldOf({ verdict, passage }: Decided) {
  t.equal(verdict, null);
  return [passage.withheldHeaders, passage.withheldCookie, passage.withheldParameter];
}

t.test('what decided is passed on, and what might be taken for verified beside it is not', async (t) => {
  const cookie = ['cookie', 'session=forged'];
  const bearer = ['authorization', `Bearer ${tokenOf()}`];
  const password = ['authorization', basic('alice', 's3cret:pässwort')];
  const ways: readonly (readonly [readonly string[], string, readonly unknown[]])[] = [
    [['x-api-key', KEY, ...cookie], 'access_token=x', [[], 'session', 'access_token']],
    [cookie, `api_key=${KEY}`, [['x-api-key'], 'session', null]],
    [[...bearer, 'X_Api_Key', 'forged', ...cookie], 'api_key=x', [['x-api-key'], 'session', 'api_key']],
    [[...password, 'x-api-key', 'forged'], '', [['x-api-key'], 'session', null]],
    [['cookie', `session=${tokenOf()}`], '', [['x-api-key'], null, null]],
    [[], `access_token=${tokenOf()}`, [['x-api-key'], 'session', null]],
  ];
  for (const [fields, query, expected] of ways) {
    t.same(withheldOf(await trusting.decide(PLACES, fields, query)), expected, `${fields[0]} ${query}`);
  }
  t.same(withheldOf(await trusting.decide({ issuers: ['main'] }, bearer)), [[], null, null]);
});

t.test('a token in a cookie beside one in the query: 401', async (t) => {
  const token = tokenOf();
  const decided = await trusting.decide(PLACES, ['cookie', `session=${token}`], `access_token=${token}`);
  t.match(refusalOf(decided).detail, 'more than one token');
});

t.test('a route that keeps credentials keeps all of them', async (t) => {
  const places = PLACES;
  const auth: RouteAuth = { ...places, forwardToken: false };
  const ways: readonly (readonly [readonly string[], string, string | null])[] = [
    [['x-api-key', KEY, 'cookie', 'session=x'], 'a=b', null],
    [['authorization', `Bearer ${tokenOf()}`], 'api_key=x', 'api_key'],
    [['cookie', `session=${tokenOf()}`], '', null],
    [[], `access_token=${tokenOf()}`, 'access_token'],
    [[], `api%5Fkey=${KEY}`, 'api_key'],
  ];
  for (const [fields, query, parameter] of ways) {
    const { verdict, passage } = await trusting.decide(auth, fields, query);
    t.equal(verdict, null, query);
    t.same(passage.withheldHeaders, ['authorization', 'x-api-key']);
    t.equal(passage.withheldCookie, 'session');
    t.equal(passage.withheldParameter, parameter);
  }
});

t.test('a description says what is accepted', async (t) => {
  t.same(trusting.policy(ALL).describe(), {
    effect: 'asks for a JWT of main or other, or an API key, or a user name and password',
    settings: ALL,
  });
});
