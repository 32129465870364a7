import t from 'tap';
import { readSharedSecret } from '../../lib/auth/shared-secret.ts';
import { jwkOf, makeKey } from './jwt-maker.ts';

t.test('a secret must be as long as the digest (RFC 7518 §3.2)', async (t) => {
  const limits = [
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ] as const;
  for (const [algorithm, least] of limits) {
    t.same(readSharedSecret('s'.repeat(least), [algorithm]).algorithms, [algorithm]);
    t.throws(
      () => readSharedSecret('s'.repeat(least - 1), [algorithm]),
      new RegExp(`the secret has ${least - 1} bytes: ${algorithm} needs ${least} or more \\(RFC 7518`),
    );
  }
  t.throws(() => readSharedSecret('s'.repeat(40), ['HS256', 'HS384']), /HS384 needs 48/);
  t.equal(readSharedSecret('ü'.repeat(16), ['HS256']).bytes.length, 32, 'bytes count, not characters');
});

t.test('line feeds at the end are not part of a secret', async (t) => {
  t.equal(readSharedSecret(`${'s'.repeat(32)}\r\n\n`, ['HS256']).bytes.length, 32);
  t.throws(() => readSharedSecret('\n'.repeat(40), ['HS256']), /the secret has 0 bytes/);
});

t.test('what is no secret is refused', async (t) => {
  const { publicKey } = makeKey('RS256');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const jwk = jwkOf(publicKey, { kid: 'a' });
  for (const text of [
    pem,
    `# key\n${pem}`,
    JSON.stringify(jwk),
    ` ${JSON.stringify({ keys: [jwk] }, null, 2)}`,
  ]) {
    t.throws(() => readSharedSecret(text, ['HS256']), /it is a key or certificate, not a secret/);
  }
  t.throws(() => readSharedSecret('\ufffd'.repeat(32), ['HS256']), /it is not text/);
  t.throws(() => readSharedSecret('s'.repeat(64), ['RS256']), /none of the algorithms/);
  t.same(
    readSharedSecret('s'.repeat(64), ['RS256', 'HS512']).algorithms,
    ['HS512'],
    'and never an asymmetric one',
  );
});
