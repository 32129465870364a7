/** Tokens as attackers make them (RFC 8725 §2, Wycheproof): none may be taken for a valid one. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { TokenIssuer, TokenVerdict } from '../../lib/auth/token-issuer.ts';
import { CLAIMS, EC, makeIssuer, materialsWith, NOW_MS, RSA, setOf, signed } from './issuer-maker.ts';
import { jwkOf, makeHmacJwt, makeJwt, makeKey, makeUnsignedJwt, type SigningKey } from './jwt-maker.ts';

const encode = (content: string | Buffer): string => Buffer.from(content as string).toString('base64url');
const verdictOf = (issuer: TokenIssuer, token: string) => issuer.verify(token, NOW_MS) as TokenVerdict;
const kindOf = (issuer: TokenIssuer, token: string) => verdictOf(issuer, token).kind;
/** The three parts of a token. */
const split = (token: string) => token.split('.') as [string, string, string];
const everyAlgorithm = makeIssuer({
  algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'HS256', 'HS384', 'HS512'],
});

t.test('a token without a signature is refused, however it spells "none"', async (t) => {
  for (const alg of [
    'none',
    'None',
    'NONE',
    'nOnE',
    ' none',
    'none\0',
    '',
    'RS256',
    null,
    undefined,
    ['none'],
    0,
  ]) {
    for (const kid of ['rsa', undefined]) {
      const token = makeUnsignedJwt({ alg, kid }, CLAIMS);
      t.equal(kindOf(everyAlgorithm, token), 'invalid', JSON.stringify(alg));
      t.equal(kindOf(everyAlgorithm, `${token}AA`), 'invalid', `${JSON.stringify(alg)} and some bytes`);
    }
  }
  const [header, claims] = split(signed());
  t.equal(kindOf(everyAlgorithm, `${header}.${claims}.`), 'invalid', 'a signature that was cut off');
});

t.test('a public key in any form is never a shared secret', async (t) => {
  for (const { publicKey } of [RSA, EC]) {
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const jwk = jwkOf(publicKey);
    const secrets = [
      pem,
      pem.trim(),
      `${pem}\n`,
      pem.replaceAll('\n', '\r\n'),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk),
      JSON.stringify({ keys: [jwk] }),
      (jwk as { n?: string; x?: string }).n ?? (jwk as { x?: string }).x ?? '',
      '',
      'undefined',
      'null',
    ];
    for (const secret of secrets) {
      for (const algorithm of ['HS256', 'HS384', 'HS512'] as const) {
        for (const kid of ['rsa', 'ec', undefined]) {
          const token = makeHmacJwt(secret, { alg: algorithm, kid }, CLAIMS, algorithm);
          t.equal(kindOf(everyAlgorithm, token), 'invalid');
        }
      }
      const disguised = makeHmacJwt(secret, { alg: 'RS256', kid: 'rsa' }, CLAIMS);
      t.equal(kindOf(everyAlgorithm, disguised), 'invalid');
    }
  }
});

t.test('where a secret is shared, no key pair verifies anything', async (t) => {
  const secret = 's'.repeat(64);
  const issuer = makeIssuer(
    { secretFile: '/secret', algorithms: ['HS256', 'RS256', 'ES256'] },
    materialsWith('file:/secret', secret),
  );
  t.equal(kindOf(issuer, makeHmacJwt(secret, { alg: 'HS256' }, CLAIMS)), 'valid');
  for (const alg of ['HS384', 'HS512', 'RS256', 'none', 'hs256']) {
    t.equal(kindOf(issuer, makeHmacJwt(secret, { alg }, CLAIMS)), 'invalid', alg);
  }
  t.equal(kindOf(issuer, signed()), 'invalid');
});

t.test('an algorithm in another spelling or kind is none', async (t) => {
  for (const alg of [
    'rs256',
    'RS256 ',
    'RS-256',
    'SHA256',
    'RS1',
    ['RS256'],
    { name: 'RS256' },
    true,
    null,
    undefined,
  ]) {
    t.equal(kindOf(everyAlgorithm, signed({}, { alg })), 'invalid', JSON.stringify(alg));
  }
});

t.test('ECDSA signatures count in their one form and on their own curve', async (t) => {
  const header = { alg: 'ES256', kid: 'ec' };
  const token = makeJwt(EC, header, CLAIMS);
  t.equal(kindOf(everyAlgorithm, token), 'valid');
  const [head, claims, signature] = split(token);
  const raw = Buffer.from(signature, 'base64url');
  const [r, s] = [raw.subarray(0, 32), raw.subarray(32)];
  const [zero, order] = [
    Buffer.alloc(32),
    Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex'),
  ];
  const one = Buffer.concat([Buffer.alloc(31), Buffer.from([1])]);
  const forged: Record<string, Buffer> = {
    'r and s zero': Buffer.concat([zero, zero]),
    'r zero': Buffer.concat([zero, s]),
    's zero': Buffer.concat([r, zero]),
    'r and s one': Buffer.concat([one, one]),
    'r and s the order': Buffer.concat([order, order]),
    'all bits set': Buffer.alloc(64, 0xff),
    'r and s swapped': Buffer.concat([s, r]),
    DER: sign('sha256', Buffer.from(`${head}.${claims}`), EC.privateKey),
    'a byte less': raw.subarray(0, 63),
    'a byte more': Buffer.concat([raw, Buffer.alloc(1)]),
    'a byte in front': Buffer.concat([Buffer.alloc(1), raw]),
    'padded to P-384': Buffer.concat([Buffer.alloc(16), r, Buffer.alloc(16), s]),
    'only r': r,
    'one byte': raw.subarray(0, 1),
  };
  for (const [name, bytes] of Object.entries(forged)) {
    t.equal(kindOf(everyAlgorithm, `${head}.${claims}.${encode(bytes)}`), 'invalid', name);
  }
  const wrongCurve = makeKey('ES384');
  t.equal(kindOf(everyAlgorithm, makeJwt(wrongCurve, header, CLAIMS)), 'invalid', 'P-384 as ES256');
  const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  const issuer = makeIssuer({ jwks: setOf(jwkOf(secp256k1.publicKey, { kid: 'k' }), jwkOf(EC.publicKey)) });
  const onCurve: SigningKey = { ...secp256k1, algorithm: 'ES256' };
  t.equal(
    kindOf(issuer, makeJwt(onCurve, { alg: 'ES256', kid: 'k' }, CLAIMS)),
    'invalid',
    'secp256k1 as ES256',
  );
});

t.test('RSA signatures count with their own padding, digest and length', async (t) => {
  const issuer = makeIssuer({ algorithms: ['RS256', 'RS384', 'PS256'] });
  for (const [made, said] of [
    ['RS256', 'RS384'],
    ['RS384', 'RS256'],
    ['PS256', 'RS256'],
    ['RS256', 'PS256'],
  ] as const) {
    const token = signed({}, { alg: said }, { ...RSA, algorithm: made });
    t.equal(kindOf(issuer, token), 'invalid', `${made} as ${said}`);
  }
  const [head, claims, signature] = split(signed());
  const raw = Buffer.from(signature, 'base64url');
  const forged = [
    raw.subarray(1),
    Buffer.concat([Buffer.alloc(1), raw]),
    Buffer.alloc(256),
    Buffer.alloc(256, 0xff),
  ];
  for (const bytes of forged) t.equal(kindOf(issuer, `${head}.${claims}.${encode(bytes)}`), 'invalid');
  const salted = sign('sha256', Buffer.from(`${encode('{"alg":"PS256","kid":"rsa"}')}.${claims}`), {
    key: RSA.privateKey,
    padding: 6,
    saltLength: 0,
  });
  const token = `${encode('{"alg":"PS256","kid":"rsa"}')}.${claims}.${encode(salted)}`;
  t.equal(kindOf(issuer, token), 'invalid', 'PSS without its salt');
});

t.test('an RSA key with which anybody can sign is not used', async (t) => {
  const { n } = jwkOf(RSA.publicKey) as { n: string };
  const open = makeIssuer({ jwks: setOf({ kty: 'RSA', kid: 'rsa', n, e: 'AQ' }) });
  t.equal(kindOf(open, signed()), 'unavailable');
  t.match(open.problem, /exponent 1|not a valid public key/);
  const short = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey;
  t.match(
    makeIssuer({ jwks: setOf(jwkOf(short, { kid: 'rsa' })) }).problem,
    /key 1 has 1024 bits: RSA keys need 2048/,
  );
});

t.test('any bit that is flipped in a token makes it invalid', async (t) => {
  const issuer = makeIssuer();
  const token = signed({}, { kid: 'ec' }, EC);
  t.equal(kindOf(issuer, token), 'valid');
  const bytes = Buffer.from(token, 'latin1');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    const kind = kindOf(issuer, flipped.toString('latin1'));
    if (kind === 'valid') t.fail(`bit ${bit} does not count`);
  }
});

t.test('property: of a valid token, no mutation is valid', async (t) => {
  const issuer = makeIssuer();
  const tokens = [signed(), signed({}, { kid: 'ec' }, EC)];
  for (const token of tokens) t.equal(kindOf(issuer, token), 'valid');
  const piece = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.constantFrom('.', '=', '-', '_', '+', '/', 'A', ' ', '\n', '\0', 'é'),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...tokens),
      fc.nat(),
      fc.nat(4),
      piece,
      (token, position, removed, inserted) => {
        const at = position % (token.length + 1);
        const mutated = token.slice(0, at) + inserted + token.slice(at + removed);
        if (mutated !== token) t.not(kindOf(issuer, mutated), 'valid', JSON.stringify(mutated).slice(0, 60));
      },
    ),
    { numRuns: 500 },
  );
});

t.test('a token has one spelling: no padding, no other alphabet, no spare bits, no blanks', async (t) => {
  const issuer = makeIssuer();
  const token = signed({ padding: 'x' }, { kid: 'ec' }, EC);
  const [head, claims, signature] = split(token);
  t.equal(kindOf(issuer, token), 'valid');
  // 64 bytes leave four bits of the last character unused.
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(
    signature.at(-1) as string,
  );
  const spare = `${signature.slice(0, -1)}${'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[last + 1]}`;
  t.same(Buffer.from(spare, 'base64url'), Buffer.from(signature, 'base64url'));
  const spellings = [
    `${head}.${claims}.${spare}`,
    `${head}.${claims}.${signature}==`,
    `${head}.${claims}.${signature}=`,
    `${head}=.${claims}.${signature}`,
    `${head}.${claims}=.${signature}`,
    ` ${token}`,
    `${token} `,
    `${token}\n`,
    `${head}\n.${claims}.${signature}`,
    `${head}.${claims}.${signature.slice(0, 9)}\n${signature.slice(9)}`,
    `${head}.${claims}.${Buffer.from(signature, 'base64url').toString('base64')}`,
    `${head}.${claims}.${Buffer.from(signature, 'base64url').toString('hex')}`,
    `${token}.`,
    `.${token}`,
    `${token}.${signature}`,
    `${head}..${claims}.${signature}`,
    `${head}.${claims}${signature}`,
    `${head}${claims}.${signature}`,
    `${head}.${claims}`,
    `${head}..${signature}`,
    `.${claims}.${signature}`,
    '',
    '.',
    '..',
    '...',
    'null',
    '{}',
    JSON.stringify({ protected: head, payload: claims, signature }),
  ];
  for (const spelling of spellings) t.equal(kindOf(issuer, spelling), 'invalid', spelling.slice(-40));
});

t.test('keys that the token brings along or points to are not looked at', async (t) => {
  const issuer = makeIssuer();
  const attacker = makeKey('RS256');
  const certificate = encode(attacker.publicKey.export({ type: 'spki', format: 'der' }));
  const headers = [
    { jwk: jwkOf(attacker.publicKey, { kid: 'rsa' }) },
    { jwk: jwkOf(attacker.publicKey), kid: undefined },
    { jku: 'https://attacker.example/jwks' },
    { x5u: 'https://attacker.example/cert' },
    { x5c: [certificate] },
    { x5t: 'AAAA', 'x5t#S256': 'AAAA' },
  ];
  for (const header of headers) {
    t.equal(kindOf(issuer, signed({}, header, attacker)), 'invalid', String(Object.keys(header)));
    t.equal(kindOf(issuer, signed({}, header)), 'valid', 'nor do they harm');
  }
});

t.test('kid is compared and nothing else', async (t) => {
  const issuer = makeIssuer();
  const kids = [
    '',
    'RSA',
    'rsa ',
    'rsa\0',
    '../../dev/null',
    '/dev/null',
    'file:///etc/passwd',
    'https://attacker.example/key',
    "rsa' OR '1'='1",
    "' UNION SELECT 'key",
    '$(id)',
    '__proto__',
    'constructor',
    'length',
    '0',
    'x'.repeat(2_000),
    null,
    0,
    true,
    [],
    ['rsa'],
    { rsa: 1 },
  ];
  for (const kid of kids) {
    t.equal(kindOf(issuer, signed({}, { kid })), 'invalid', JSON.stringify(kid).slice(0, 40));
    t.equal(kindOf(issuer, makeHmacJwt('', { alg: 'HS256', kid }, CLAIMS)), 'invalid');
  }
});

t.test('extensions of the header that must be understood are refused', async (t) => {
  const issuer = makeIssuer();
  for (const crit of [['exp'], ['b64'], ['alg'], [], 'x', null, false, 0, {}]) {
    t.equal(kindOf(issuer, signed({}, { crit, b64: true })), 'invalid', JSON.stringify(crit));
  }
  for (const b64 of [false, null, 0, 'false']) {
    t.equal(kindOf(issuer, signed({}, { b64 })), 'invalid', `b64 ${JSON.stringify(b64)}`);
    t.equal(kindOf(issuer, signed({}, { b64, crit: ['b64'] })), 'invalid');
  }
  const input = `${encode('{"alg":"ES256","kid":"ec","b64":false}')}.${JSON.stringify(CLAIMS)}`;
  const unencoded = sign('sha256', Buffer.from(input), { key: EC.privateKey, dsaEncoding: 'ieee-p1363' });
  t.equal(kindOf(issuer, `${input}.${encode(unencoded)}`), 'invalid', 'claims that are not encoded');
});

t.test('a member that stands twice is refused, in the header and at any depth of the claims', async (t) => {
  const issuer = makeIssuer();
  const claims = JSON.stringify(CLAIMS).slice(1);
  const doubled = [
    `{"sub":"admin",${claims}`,
    `{"\\u0073ub":"admin",${claims}`,
    `{"aud":"x",${claims}`,
    `{"a":{"b":1,"b":2},${claims}`,
    `{"a":[{"b":1,"b":1}],${claims}`,
    `{"__proto__":1,"__proto__":2,${claims}`,
  ];
  for (const text of doubled) {
    t.equal(kindOf(issuer, makeJwt(RSA, { alg: 'RS256', kid: 'rsa' }, text)), 'invalid', text.slice(0, 30));
  }
  for (const header of [
    '{"alg":"none","alg":"RS256","kid":"rsa"}',
    '{"alg":"RS256","kid":"x","kid":"rsa"}',
  ]) {
    t.equal(kindOf(issuer, makeJwt(RSA, header, CLAIMS)), 'invalid', header);
  }
  const once = makeJwt(RSA, { alg: 'RS256', kid: 'rsa' }, `{"__proto__":{"sub":"root"},${claims}`);
  t.match(verdictOf(issuer, once), { kind: 'valid', token: { subject: 'alice' } }, 'a prototype is no claim');
});

t.test('claims and header must be JSON objects in UTF-8', async (t) => {
  const issuer = makeIssuer();
  const signRaw = (header: Buffer, claims: Buffer) => {
    const input = `${encode(header)}.${encode(claims)}`;
    return `${input}.${encode(sign('sha256', Buffer.from(input), RSA.privateKey))}`;
  };
  const header = Buffer.from('{"alg":"RS256","kid":"rsa"}');
  const claims = JSON.stringify(CLAIMS);
  t.equal(kindOf(issuer, signRaw(header, Buffer.from(claims))), 'valid');
  const texts = [
    'null',
    '[]',
    '1',
    '"x"',
    '',
    'true',
    `[${claims}]`,
    `${claims}x`,
    `${claims}${claims}`,
    `\ufeff${claims}`,
    claims.replace('"alice"', "'alice'"),
    claims.replace('"alice"', 'NaN'),
    claims.replace('}', ',}'),
    encode(claims),
    `${claims.slice(0, -1)},"a":"\u0001"}`,
  ];
  for (const text of texts)
    t.equal(kindOf(issuer, signRaw(header, Buffer.from(text))), 'invalid', text.slice(0, 30));
  const invalidUtf8 = Buffer.concat([
    Buffer.from(`${claims.slice(0, -1)},"a":"`),
    Buffer.from([0xc0, 0xaf]),
    Buffer.from('"}'),
  ]);
  t.equal(kindOf(issuer, signRaw(header, invalidUtf8)), 'invalid', 'overlong UTF-8');
  t.equal(kindOf(issuer, signRaw(Buffer.from(claims, 'utf16le'), Buffer.from(claims))), 'invalid');
});

t.test('a token that is huge or nested deeply is refused before anything is done with it', async (t) => {
  const issuer = makeIssuer();
  t.equal(kindOf(issuer, signed({ x: 'x'.repeat(5_000) })), 'valid', 'up to 8,192 characters');
  t.equal(kindOf(issuer, signed({ x: 'x'.repeat(6_000) })), 'invalid');
  for (const text of [
    'x'.repeat(10_000_000),
    '.'.repeat(8_192),
    'a.'.repeat(4_000),
    `${'A'.repeat(8_188)}.A.A`,
  ]) {
    t.equal(kindOf(issuer, text), 'invalid');
  }
  const nested = (depth: number) =>
    `{"x":${'['.repeat(depth)}${']'.repeat(depth)},${JSON.stringify(CLAIMS).slice(1)}`;
  const header = { alg: 'RS256', kid: 'rsa' };
  t.equal(kindOf(issuer, makeJwt(RSA, header, nested(90))), 'valid');
  t.equal(kindOf(issuer, makeJwt(RSA, header, nested(2_500))), 'invalid');
});

t.test('a token that is cached lends nothing to another', async (t) => {
  const issuer = makeIssuer();
  const [one, two] = [signed({ sub: 'one' }), signed({ sub: 'two' })];
  for (let round = 0; round < 2; round += 1) {
    t.match(verdictOf(issuer, one), { token: { subject: 'one' } });
    t.match(verdictOf(issuer, two), { token: { subject: 'two' } });
    const [[head, claims, signature], [, otherClaims, otherSignature]] = [split(one), split(two)];
    for (const mixed of [
      `${head}.${otherClaims}.${signature}`,
      `${head}.${claims}.${otherSignature}`,
      `${encode('{"alg":"none"}')}.${claims}.${signature}`,
      `${encode(JSON.stringify({ alg: 'HS256', kid: 'rsa' }))}.${claims}.${signature}`,
      one.toLowerCase(),
      `${one}\ud800`,
    ]) {
      t.equal(kindOf(issuer, mixed), 'invalid');
    }
  }
  const stranger = makeIssuer({ issuer: 'https://other.example/' });
  t.equal(kindOf(stranger, one), 'invalid', 'and what one issuer knows no other does');
});

t.test('reasons hold nothing of the token', async (t) => {
  const issuer = makeIssuer();
  const secret = 'c0nfidential';
  for (const token of [
    signed({ sub: 7, x: secret }),
    signed({ iss: secret }),
    signed({}, { kid: secret }),
    signed({}, { alg: secret }),
    makeJwt(RSA, { alg: 'RS256' }, `{"${secret}":1,"${secret}":2}`),
    secret,
  ]) {
    t.notMatch(JSON.stringify(verdictOf(issuer, token)), secret);
  }
});

t.test('an HMAC that is cut short is refused', async (t) => {
  const secret = 's'.repeat(32);
  const issuer = makeIssuer({ secretEnv: 'S', algorithms: ['HS256'] }, materialsWith('env:S', secret));
  const input = `${encode('{"alg":"HS256"}')}.${encode(JSON.stringify(CLAIMS))}`;
  const mac = createHmac('sha256', secret).update(input).digest();
  t.equal(kindOf(issuer, `${input}.${encode(mac)}`), 'valid');
  for (const length of [1, 16, 31])
    t.equal(kindOf(issuer, `${input}.${encode(mac.subarray(0, length))}`), 'invalid');
  t.equal(kindOf(issuer, `${input}.${encode(Buffer.concat([mac, mac]))}`), 'invalid');
});
