/** Which entry is for which name, and what the index says of all of them. */
import fc from 'fast-check';
import t from 'tap';
import { Materials } from '../../../lib/auth/materials.ts';
import type { Certificate } from '../../../lib/core/config/model.ts';
import { CertificateIndex } from '../../../lib/proxy/tls/certificate-index.ts';

const pair: Certificate = { certFile: '/cert.pem', keyFile: '/key.pem' };
const asking = (...headers: string[]): Certificate => ({
  ...pair,
  clientCertificate: {
    mode: 'optional',
    caFile: '/ca.pem',
    headers: Object.fromEntries(headers.map((name) => [name, 'subject' as const])),
  },
});

function indexOf(certificates: Readonly<Record<string, Certificate>>): CertificateIndex {
  const index = new CertificateIndex(new Materials(() => {}));
  for (const [id, certificate] of Object.entries(certificates)) index.put(id, certificate);
  return index;
}

t.test('the name itself, else the wildcard of its first label, else default', async (t) => {
  const index = indexOf({ 'a.example.com': pair, '*.example.com': pair, '*.b.example.com': pair });
  const found = (name: string) => index.find(name)?.id ?? null;
  t.equal(found('a.example.com'), 'a.example.com');
  t.equal(found('c.example.com'), '*.example.com');
  t.equal(found('x.b.example.com'), '*.b.example.com');
  t.equal(found('x.y.example.com'), null, 'a wildcard is for one label');
  t.equal(found('example.com'), null, 'and not for none');
  t.equal(found('.example.com'), null);
  t.equal(found(''), null);
  index.put('default', pair);
  for (const name of ['', 'example.com', 'x.y.example.com', '127.0.0.1', '[::1]'])
    t.equal(found(name), 'default', name);
  index.delete('a.example.com');
  t.equal(found('a.example.com'), '*.example.com');
});

t.test('the demands of all wildcards around it hold for a name without an entry of its own', async (t) => {
  const index = indexOf({ 'a.example.com': pair, '*.example.com': pair, '*.b.a.example.com': pair });
  const found = (name: string) => index.governing(name).map(({ id }) => id);
  t.same(found('a.example.com'), ['a.example.com']);
  t.same(found('c.example.com'), ['*.example.com']);
  t.same(found('x.c.example.com'), ['*.example.com']);
  t.same(found('x.b.a.example.com'), ['*.b.a.example.com']);
  t.same(found('x.y.b.a.example.com'), ['*.b.a.example.com', '*.example.com']);
  t.same(found('example.com'), []);
  index.put('default', pair);
  t.same(found('x.c.example.com'), ['*.example.com', 'default']);
  t.same(found(''), ['default']);
});

t.test('names of headers stay as long as an entry fills them', async (t) => {
  const index = indexOf({ a: asking('X-Subject', 'x-issuer'), b: asking('x-subject') });
  t.same([...index.headerNames].sort(), ['x-issuer', 'x-subject']);
  index.put('a', pair);
  t.same([...index.headerNames], ['x-subject']);
  t.equal(index.asksForClientCertificates, true);
  index.delete('b');
  index.delete('b');
  t.same([...index.headerNames], []);
  t.equal(index.asksForClientCertificates, false);
});

t.test('after any history it says what one made at once says, and so does its copy', async () => {
  const ids = ['default', 'a.test', '*.test', 'b.a.test'];
  const change = fc.tuple(
    fc.constantFrom(...ids),
    fc.constantFrom(null, pair, asking('x-one'), asking('x-one', 'x-two')),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const index = indexOf({});
      const left = new Map<string, Certificate>();
      for (const [id, certificate] of changes) {
        if (certificate === null) {
          index.delete(id);
          left.delete(id);
        } else {
          index.put(id, certificate);
          left.set(id, certificate);
        }
      }
      const copy = indexOf({});
      copy.copy(index).forEach(() => {});
      const describe = (one: CertificateIndex) =>
        JSON.stringify([
          ['', 'a.test', 'c.test', 'b.a.test'].map((name) => one.find(name)?.id ?? null),
          [...one.headerNames].sort(),
          one.asksForClientCertificates,
        ]);
      const expected = describe(indexOf(Object.fromEntries(left)));
      return describe(index) === expected && describe(copy) === expected;
    }),
    { numRuns: 300 },
  );
});
