/** Certificates compiled from what the primary says of their files. */
import t from 'tap';
import { Materials } from '../../../lib/auth/materials.ts';
import { TICKET_KEYS } from '../../../lib/core/config/material-names.ts';
import type { Certificate } from '../../../lib/core/config/model.ts';
import { Authorities } from '../../../lib/proxy/tls/authorities.ts';
import { ListenerCertificate } from '../../../lib/proxy/tls/listener-certificate.ts';
import { createAuthority } from './test-authority.ts';

const authority = await createAuthority(t);
const otherAuthority = await createAuthority(t, 'Other authority');
const [first, second, third] = await Promise.all([
  authority.issue(),
  authority.issue({ key: 'rsa' }),
  authority.issue(),
]);

const plain: Certificate = { certFile: '/cert', keyFile: '/key' };
const asking: Certificate = { ...plain, clientCertificate: { mode: 'required', caFile: '/ca' } };

function create(certificate: Certificate) {
  const materials = new Materials(() => {});
  return { materials, entry: new ListenerCertificate('a.test', certificate, materials, null) };
}

function take(materials: Materials, values: Readonly<Record<string, string | null>>): void {
  materials.take(Object.entries(values).map(([name, value]) => ({ name, value })));
}

t.test('it is compiled once, and again when a file has changed', async (t) => {
  const { materials, entry } = create(plain);
  t.equal(entry.isSettling, true);
  take(materials, { 'file:/cert': first.cert, 'file:/key': first.key });
  t.equal(entry.isSettling, false);
  const compiled = entry.compile();
  t.ok(compiled);
  t.equal(entry.compile(), compiled);
  take(materials, { 'file:/cert': second.cert, 'file:/key': second.key });
  t.not(entry.compile(), compiled);
  t.equal(entry.takeProblem(), null);
});

t.test('other keys for tickets compile it anew', async (t) => {
  const { materials, entry } = create(plain);
  take(materials, { 'file:/cert': first.cert, 'file:/key': first.key });
  const compiled = entry.compile();
  take(materials, { [TICKET_KEYS]: Buffer.alloc(48, 1).toString('base64') });
  t.not(entry.compile(), compiled);
});

for (const [what, values] of [
  ['a key of another certificate', { 'file:/key': third.key }],
  ['a key of another kind', { 'file:/key': second.key }],
  ['a certificate that is none', { 'file:/cert': 'nonsense' }],
  ['a file that is gone', { 'file:/key': null }],
] as const) {
  t.test(`${what} leaves the pair before in force, and is told once`, async (t) => {
    const { materials, entry } = create(plain);
    take(materials, { 'file:/cert': first.cert, 'file:/key': first.key });
    t.ok(entry.compile());
    take(materials, values);
    const kept = entry.compile();
    t.ok(kept);
    t.match(entry.takeProblem(), /file:\/(cert|key)/);
    t.equal(entry.compile(), kept);
    t.equal(entry.takeProblem(), null);
  });
}

t.test('without a pair that was ever good there is nothing, and it says which file', async (t) => {
  const { materials, entry } = create(plain);
  t.equal(entry.compile(), null);
  take(materials, { 'file:/cert': first.cert, 'file:/key': null });
  t.equal(entry.compile(), null);
  t.equal(entry.takeProblem(), 'there is no usable file:/key');
});

t.test('the pair of the entry before serves until there is a newer one', async (t) => {
  const { materials, entry } = create(plain);
  take(materials, { 'file:/cert': first.cert, 'file:/key': first.key });
  t.ok(entry.compile());
  const next = new ListenerCertificate('a.test', { certFile: '/new', keyFile: '/newer' }, materials, entry);
  t.equal(next.isSettling, true);
  t.ok(next.compile());
});

t.test('without authorities nobody could be verified, so there is no handshake at all', async (t) => {
  const { materials, entry } = create(asking);
  take(materials, { 'file:/cert': first.cert, 'file:/key': first.key, 'file:/ca': null });
  t.equal(entry.compile(), null);
  t.equal(entry.takeProblem(), 'there is no usable file:/ca');
  take(materials, { 'file:/ca': 'nonsense' });
  t.equal(entry.compile(), null);
  t.match(entry.takeProblem(), 'file:/ca cannot be used: there is no certificate in it');
  take(materials, { 'file:/ca': authority.ca });
  t.ok(entry.compile()?.authorities);
});

t.test('an entry that asks from now on does not take over that nobody was asked', async (t) => {
  const { materials, entry } = create(plain);
  take(materials, { 'file:/cert': first.cert, 'file:/key': first.key });
  t.equal(entry.compile()?.authorities, null);
  const next = new ListenerCertificate('a.test', asking, materials, entry);
  t.equal(next.compile(), null);
});

t.test('who was verified stays so as long as no authority was taken away', async (t) => {
  const { materials, entry } = create(asking);
  take(materials, { 'file:/cert': first.cert, 'file:/key': first.key, 'file:/ca': authority.ca });
  const verifiedWith = entry.compile()?.authorities as Authorities;
  t.equal(entry.stillTrusts(verifiedWith), true);
  take(materials, { 'file:/ca': `${otherAuthority.ca}\nand\n${authority.ca}` });
  t.equal(entry.stillTrusts(verifiedWith), true);
  take(materials, { 'file:/ca': 'nonsense' });
  t.equal(entry.stillTrusts(verifiedWith), true, 'what cannot be read changes nothing');
  take(materials, { 'file:/ca': otherAuthority.ca });
  t.equal(entry.stillTrusts(verifiedWith), false);
});

t.test('it waits for what the primary has not said yet, and no longer', async (t) => {
  const { materials, entry } = create(plain);
  const settled = entry.settled();
  take(materials, { 'file:/cert': first.cert, 'file:/key': first.key });
  await settled;
  t.ok(entry.compile());
});

t.test('authorities are read whatever stands between them', async (t) => {
  const both = new Authorities(`# one\r\n${authority.ca}\n# two\n${otherAuthority.ca}`);
  t.equal(both.certificates.length, 2);
  t.equal(both.include(new Authorities(authority.ca)), true);
  t.equal(new Authorities(authority.ca).include(both), false);
  t.throws(() => new Authorities(''), /no certificate/);
  t.throws(() => new Authorities(authority.ca.replace(/\n.{10}/, '\n')));
});
