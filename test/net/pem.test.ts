import t from 'tap';
import { checkPair, splitCertificates } from '../../lib/net/pem.ts';
import { createAuthority } from '../proxy/tls/test-authority.ts';

const [authority, second] = await Promise.all([createAuthority(t, 'first'), createAuthority(t, 'second')]);
const [elliptic, other, rsa] = await Promise.all([
  authority.issue(),
  authority.issue(),
  authority.issue({ key: 'rsa' }),
]);

t.test('a list of authorities is read whole, or not at all', async (t) => {
  const between = `Subject: first\n${authority.ca}\n# and\r\n${second.ca.replaceAll('\n', '\r\n')}`;
  t.equal(splitCertificates(between).length, 2);
  for (const text of ['', 'garbage', elliptic.key, authority.ca.slice(0, 200)])
    t.throws(() => splitCertificates(text), { message: 'there is no certificate in it' });
  const damaged = authority.ca.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
  t.throws(() => splitCertificates(second.ca + damaged));
});

t.test('a certificate and a key are a pair only where they belong together', async (t) => {
  for (const pair of [elliptic, other, rsa]) t.doesNotThrow(() => checkPair(pair));
  t.doesNotThrow(
    () => checkPair({ cert: elliptic.cert + authority.ca, key: elliptic.key }),
    'with its chain',
  );
  for (const { key } of [other, rsa])
    t.throws(() => checkPair({ cert: elliptic.cert, key }), {
      message: 'the key is not that of the certificate',
    });
  t.throws(() => checkPair({ cert: '', key: elliptic.key }));
  t.throws(() => checkPair({ cert: elliptic.cert, key: 'garbage' }));
});
