import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { validateDocument } from '../../../lib/core/config/validate.ts';
import { checkOneIssuer, pointersOf } from './findings.ts';

const jwksUrl = 'https://idp.example.com/jwks';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const jwkOf = (pair: { publicKey: { export(options: { format: 'jwk' }): object } }) =>
  pair.publicKey.export({ format: 'jwk' }) as Record<string, unknown>;

t.test('an issuer has exactly one source of keys', async (t) => {
  const sources = {
    jwks: { keys: [jwkOf(rsa)] },
    jwksFile: '/etc/jwks.json',
    jwksUrl,
    secretFile: '/etc/secret',
    secretEnv: 'JWT_SECRET',
  };
  t.match(checkOneIssuer({}).problems, [
    {
      pointer: '',
      message: 'the source of its keys is missing',
      hint: 'give jwks or jwksFile or jwksUrl or secretFile or secretEnv',
    },
  ]);
  for (const [name, value] of Object.entries(sources)) {
    const algorithms = name.startsWith('secret') ? ['HS256'] : ['RS256'];
    t.same(checkOneIssuer({ algorithms, [name]: value }).problems, [], name);
    const other = name === 'jwksUrl' ? { secretEnv: 'X' } : { jwksUrl };
    const { problems } = checkOneIssuer({ algorithms, [name]: value, ...other });
    t.match(problems, [{ pointer: '', message: /comes from more than one place: / }], name);
  }
});

t.test('secrets and public keys are never mixed, or a public key could pass for a secret', async (t) => {
  const pointers = (issuer: object) => pointersOf(checkOneIssuer(issuer).problems);
  t.same(pointers({ algorithms: ['RS256', 'HS256'], jwksUrl }), ['/algorithms']);
  t.same(pointers({ algorithms: ['HS256', 'EdDSA'], secretEnv: 'S' }), ['/algorithms']);
  t.match(checkOneIssuer({ algorithms: ['RS256', 'HS256'], jwksUrl }).problems, [
    {
      message: 'mixes HS256, which takes a secret, with RS256, which takes public keys',
      hint: /two issuers/,
    },
  ]);
  t.same(pointers({ algorithms: ['HS512'], jwksUrl }), ['/algorithms']);
  t.same(pointers({ algorithms: ['PS256'], secretFile: '/s' }), ['/algorithms']);
  t.same(pointers({ algorithms: ['HS256', 'HS384', 'HS512'], secretEnv: 'S' }), []);
  t.same(pointers({ algorithms: ['RS256', 'ES512', 'EdDSA'], jwksUrl }), []);
  t.same(pointers({ algorithms: ['none'], jwksUrl }), ['/algorithms/0']);
});

t.test('two issuers may have the same name, as one that changes from secrets to keys needs', async (t) => {
  const issuer = { issuer: 'https://idp.example.com/', audience: ['orders'] };
  const { problems, warnings } = validateDocument({
    issuers: {
      old: { ...issuer, algorithms: ['HS256'], secretEnv: 'JWT_SECRET' },
      new: { ...issuer, algorithms: ['RS256'], jwksUrl },
    },
  });
  t.same([...problems, ...warnings], []);
});

t.test('keys in the document are public ones, and nothing of a private one is quoted', async (t) => {
  const privateKey = rsa.privateKey.export({ format: 'jwk' });
  const secret = { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQ' };
  const keys = [jwkOf(rsa), privateKey, secret, { k: 'x' }, { kty: 'EC', d: 'very-private' }, {}];
  const { problems } = checkOneIssuer({ jwks: { keys } });
  t.match(problems, [
    { pointer: '/jwks/keys/1', message: 'is a private key: it has d, p, q, dp, dq, qi' },
    { pointer: '/jwks/keys/2', message: /is a secret/ },
    { pointer: '/jwks/keys/3', message: /is a secret/ },
    { pointer: '/jwks/keys/4', message: 'is a private key: it has d' },
    { pointer: '/jwks/keys/5', message: '"kty" is missing' },
  ]);
  t.equal(problems.length, 5);
  const text = JSON.stringify(problems);
  t.notOk(text.includes(String(privateKey.d)) || text.includes(secret.k) || text.includes('very-private'));
});

t.test('one of the keys in the document fits an algorithm', async (t) => {
  const fits: [algorithms: string[], key: Record<string, unknown>, isFit: boolean][] = [
    [['RS256'], jwkOf(rsa), true],
    [['PS512'], jwkOf(rsa), true],
    [['RS256'], { ...jwkOf(rsa), alg: 'PS256' }, false],
    [['RS256'], { ...jwkOf(rsa), use: 'enc' }, false],
    [['RS256'], { ...jwkOf(rsa), use: 'sig', alg: 'RS256', kid: 'a', x5t: 'b' }, true],
    [['RS256'], jwkOf(ec), false],
    [['ES256'], jwkOf(ec), true],
    [['ES384'], jwkOf(ec), false],
    [['EdDSA'], jwkOf(ed), true],
    [['ES256', 'EdDSA'], jwkOf(ed), true],
    [['RS256'], { kty: 'new type' }, false],
  ];
  for (const [algorithms, key, isFit] of fits) {
    const { problems } = checkOneIssuer({ algorithms, jwks: { keys: [key], other: 1 } });
    t.same(pointersOf(problems), isFit ? [] : ['/jwks/keys'], JSON.stringify([algorithms, key]));
  }
  const keys = [{ kty: 'new type' }, jwkOf(rsa)];
  t.ok(checkOneIssuer({ jwks: { keys } }).isValid, 'keys of unknown types are passed over');
});

t.test('a key is whole, and long enough', async (t) => {
  const { n: _, ...withoutModulus } = jwkOf(rsa);
  const short = jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 }));
  const keys = [withoutModulus, { ...jwkOf(ec), y: 'no base64!' }, { ...jwkOf(ed), x: 1 }, short];
  t.match(checkOneIssuer({ jwks: { keys } }).problems, [
    { pointer: '/jwks/keys/0', message: '"n" is missing or not in base64url' },
    { pointer: '/jwks/keys/1', message: '"y" is missing or not in base64url' },
    { pointer: '/jwks/keys/2', message: '"x" is missing or not in base64url' },
    { pointer: '/jwks/keys/3', message: 'has fewer than 2048 bits' },
  ]);
});

t.test('two keys in the document with one kid are a problem at the later one', async (t) => {
  const keys = [
    { ...jwkOf(rsa), kid: 'a' },
    { ...jwkOf(ec), kid: 'a' },
  ];
  t.match(checkOneIssuer({ jwks: { keys } }).problems, [{ pointer: '/jwks/keys/1', message: /kid/ }]);
  t.ok(checkOneIssuer({ jwks: { keys: [jwkOf(rsa), jwkOf(rsa)] } }).isValid);
  t.match(checkOneIssuer({ jwks: { keys: [{ ...jwkOf(rsa), kid: 1 }] } }).problems, [
    { pointer: '/jwks/keys/0', message: '"kid" is no text' },
  ]);
});

t.test('jwksUrl is an https or http URL without user information and fragment', async (t) => {
  const bad: [url: string, messages: RegExp[]][] = [
    ['idp.example.com/jwks', [/no https or http URL/]],
    ['file:///etc/jwks.json', [/no https or http URL/]],
    ['https://', [/no https or http URL/]],
    ['https://h:0/', [/no https or http URL/]],
    ['https://h/\nx', [/no https or http URL/]],
    ['https://user:secret@h/jwks', [/user information/]],
    ['https://@h/jwks', [/user information/]],
    ['https://h/jwks#', [/fragment/]],
    ['https://u@h/jwks#a', [/user information/, /fragment/]],
  ];
  for (const [url, messages] of bad) {
    const { problems } = checkOneIssuer({ jwksUrl: url });
    t.match(
      problems,
      messages.map((message) => ({ pointer: '/jwksUrl', message })),
      url,
    );
    t.equal(problems.length, messages.length, url);
    t.notMatch(JSON.stringify(problems), /secret/);
  }
  for (const url of ['https://h/jwks?tenant=a&x=@', 'HTTPS://H:8443', 'https://[2001:db8::1]/']) {
    const { isValid, warnings } = checkOneIssuer({ jwksUrl: url });
    t.ok(isValid, url);
    t.same(warnings, [], url);
  }
});

t.test('keys that are fetched without TLS are a warning, but from the machine itself', async (t) => {
  for (const url of ['http://idp.example.com/jwks', 'http://10.0.0.1/', 'http://127.evil.example/']) {
    t.match(checkOneIssuer({ jwksUrl: url }), {
      isValid: true,
      warnings: [{ pointer: '/jwksUrl', message: /without TLS/ }],
    });
  }
  for (const url of ['http://localhost:9000/', 'http://127.0.0.1/', 'http://127.1/', 'http://[::1]/']) {
    t.same(checkOneIssuer({ jwksUrl: url }).warnings, [], url);
  }
});

t.test('a metadata service as a source of keys is a warning', async (t) => {
  for (const url of ['https://169.254.169.254/', 'https://[fd00:ec2::254]/', 'https://2852039166/']) {
    t.match(checkOneIssuer({ jwksUrl: url }).warnings, [{ pointer: '/jwksUrl', message: /metadata/ }], url);
  }
});

t.test('keyGraceSec without jwksUrl is a warning', async (t) => {
  const { isValid, warnings } = checkOneIssuer({ jwksFile: '/etc/jwks.json', keyGraceSec: 60 });
  t.ok(isValid);
  t.same(pointersOf(warnings), ['/keyGraceSec']);
});

t.test('claims do not go into headers that mean something else, in any spelling', async (t) => {
  const refused = [
    'Host',
    'connection',
    'Transfer-Encoding',
    'content-length',
    'te',
    'upgrade',
    'expect',
    'keep-alive',
    'proxy-authorization',
    'Forwarded',
    'x-forwarded-for',
    'X_Forwarded_Proto',
    'x-forwarded-anything',
    'x-real-ip',
    'x-request-id',
    'x_request_id',
    'x-consumer-id',
    'authorization',
    'Cookie',
    'content-type',
    'accept',
    'origin',
    'sec-fetch-site',
    'traceparent',
  ];
  for (const name of refused) {
    const { problems } = checkOneIssuer({ jwksUrl, claimHeaders: { [name]: 'sub', 'x-fine': 'sub' } });
    t.same(pointersOf(problems), [`/claimHeaders/${name}`], name);
    t.ok(problems[0]?.hint);
  }
  const claimHeaders = { 'x-user-id': 'sub', 'X-Tenant': 'tenant', from: 'email', 'x-roles': 'a.roles' };
  t.ok(checkOneIssuer({ jwksUrl, claimHeaders }).isValid);
});

t.test('two claims in one header, or in two that origins take for one, are a problem', async (t) => {
  const claimHeaders = { 'x-user': 'sub', 'X-User': 'name', x_user: 'email' };
  t.match(checkOneIssuer({ jwksUrl, claimHeaders }).problems, [
    { pointer: '/claimHeaders/X-User', message: 'is the same header as x-user to many origins' },
    { pointer: '/claimHeaders/x_user' },
  ]);
});
