/** Client certificates are demanded by host: a route that takes any host is not protected by them. */
import t from 'tap';
import type { Certificate } from '../../../lib/core/config/model.ts';
import { validateDocument } from '../../../lib/core/config/validate.ts';

const pair: Certificate = { certFile: '/cert.pem', keyFile: '/key.pem' };
const required: Certificate = { ...pair, clientCertificate: { mode: 'required', caFile: '/ca.pem' } };
const optional: Certificate = { ...pair, clientCertificate: { mode: 'optional', caFile: '/ca.pem' } };

function warningsOf(certificates: Record<string, Certificate>, routes: Record<string, readonly string[]>) {
  const { problems, warnings } = validateDocument({
    clusters: { main: { destinations: { only: { url: 'http://10.0.0.1' } } } },
    certificates,
    routes: Object.fromEntries(
      Object.entries(routes).map(([id, hosts]) => [
        id,
        { match: { path: `/${id}`, ...(hosts.length === 0 ? {} : { hosts }) }, cluster: 'main' },
      ]),
    ),
  });
  return problems.length > 0 ? problems : warnings;
}

t.test('a route for any host beside a host that demands certificates is a warning', async (t) => {
  t.match(warningsOf({ 'a.test': pair, 'b.test': required }, { all: [], own: ['b.test'] }), [
    { pointer: '/certificates/b.test/clientCertificate', message: /routes: "all"$/, hint: /hosts/ },
  ]);
  const routes = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((id) => [id, []]));
  t.match(warningsOf({ '*.a.test': required }, routes), [{ message: /"a", "b", "c" and 2 more$/ }]);
});

t.test('there is none where every route has hosts, or every host demands one, or none does', async (t) => {
  t.same(warningsOf({ 'b.test': required }, { own: ['b.test'] }), []);
  t.same(warningsOf({ 'b.test': optional }, { all: [] }), []);
  t.same(warningsOf({ default: required, 'b.test': required }, { all: [] }), []);
  t.equal(warningsOf({ default: required, 'b.test': optional }, { all: [] }).length, 1);
});
