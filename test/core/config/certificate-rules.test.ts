import t from 'tap';
import { checkOneCertificate, pointersOf } from './findings.ts';

const FILES = { certFile: '/tls/cert.pem', keyFile: '/tls/key.pem' };

t.test('a certificate is for a host name, a wildcard or all others', async (t) => {
  const label = 'a'.repeat(63);
  const longest = [label, label, label, 'a'.repeat(61)].join('.');
  const good = [
    'api.example.com',
    '*.example.com',
    '*.a.b.example.com',
    'default',
    'localhost',
    'xn--mnchen-3ya.example',
    '1.example.com',
    `${label}.example.com`,
  ];
  for (const id of good) t.same(checkOneCertificate(id, FILES).problems, [], id);
  const bad = [
    '*.com',
    '-a.example.com',
    'a-.example.com',
    'a..example.com',
    'example.com.',
    '*.example.com.',
    '*.-a.com',
    '127.0.0.1',
    `${label}a.example.com`,
    `a.${longest}`,
  ];
  for (const id of bad) t.same(pointersOf(checkOneCertificate(id, FILES).problems), [''], id);
  for (const id of [
    'API.example.com',
    '*',
    'a.*.com',
    '**.a.com',
    'a b',
    '[::1]',
    'münchen.example',
    'a_b.c',
  ]) {
    const { problems } = checkOneCertificate(id, FILES);
    t.match(problems, [{ message: /it must be a host name in lower case/ }], id);
  }
});

t.test('certificate and key come from one place each', async (t) => {
  t.ok(checkOneCertificate('default', { certEnv: 'CERT', keyEnv: 'KEY' }).isValid);
  t.ok(checkOneCertificate('default', { certFile: '/c', keyEnv: 'KEY' }).isValid);
  t.match(checkOneCertificate('default', {}).problems, [
    { pointer: '', message: 'the certificate is missing', hint: 'give certFile or certEnv' },
    { pointer: '', message: 'the private key is missing', hint: 'give keyFile or keyEnv' },
  ]);
  t.match(checkOneCertificate('default', { ...FILES, certEnv: 'CERT', keyEnv: 'KEY' }).problems, [
    { message: 'the certificate comes from more than one place: certFile, certEnv' },
    { message: 'the private key comes from more than one place: keyFile, keyEnv' },
  ]);
});

t.test('client certificates need one list of authorities', async (t) => {
  const check = (clientCertificate: object) =>
    checkOneCertificate('default', {
      ...FILES,
      clientCertificate: { mode: 'required', ...clientCertificate },
    }).problems;
  t.same(check({ caFile: '/ca.pem' }), []);
  t.same(check({ caEnv: 'CA' }), []);
  t.match(check({}), [{ pointer: '/clientCertificate', message: 'the list of authorities is missing' }]);
  t.match(check({ caFile: '/ca.pem', caEnv: 'CA' }), [{ pointer: '/clientCertificate' }]);
});

t.test('facts of client certificates do not go into headers that mean something else', async (t) => {
  const headers = {
    'x-client': 'subject',
    host: 'commonName',
    x_client: 'issuer',
    'x-forwarded-for': 'issuer',
  } as const;
  const clientCertificate = { mode: 'optional' as const, caFile: '/ca.pem', headers };
  t.same(pointersOf(checkOneCertificate('default', { ...FILES, clientCertificate }).problems), [
    '/clientCertificate/headers/host',
    '/clientCertificate/headers/x_client',
    '/clientCertificate/headers/x-forwarded-for',
  ]);
});

t.test('the settings of the gateway itself cannot be read as a certificate', async (t) => {
  for (const keyEnv of ['GATEWAY_TOKEN', 'FENGLING_SECRET', 'A-B', '1A', '']) {
    const { problems } = checkOneCertificate('default', { certFile: '/c', keyEnv });
    t.match(problems, [{ pointer: '/keyEnv', message: /environment variable that does not start with/ }]);
  }
});
