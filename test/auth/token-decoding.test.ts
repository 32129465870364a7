import t from 'tap';
import { claimedIssuerOf, decodeHeader, decodeToken } from '../../lib/auth/token-decoding.ts';
import { makeUnsignedJwt } from './jwt-maker.ts';

const token = (header: object, claims: object) => `${makeUnsignedJwt(header, claims)}AAAA`;

t.test('a token is read into what counts of it', async (t) => {
  const text = token(
    { alg: 'RS256', kid: 'a', typ: 'JWT', jku: 'https://x' },
    { iss: 'me', n: [1, { a: null }] },
  );
  t.same(decodeToken(text), { algorithm: 'RS256', keyId: 'a', claims: { iss: 'me', n: [1, { a: null }] } });
  t.same(decodeHeader(token({ alg: 'x' }, {})), { algorithm: 'x', keyId: null });
});

t.test('the issuer that a token claims is told before anything is verified', async (t) => {
  t.equal(claimedIssuerOf(token({}, { iss: 'https://a/' })), 'https://a/');
  for (const text of [
    token({}, {}),
    token({}, { iss: 5 }),
    token({}, { iss: ['a'] }),
    'a.b.c',
    '',
    'x',
    '..',
  ]) {
    t.equal(claimedIssuerOf(text), null, text);
  }
});
