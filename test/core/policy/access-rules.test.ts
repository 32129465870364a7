import t from 'tap';
import type { RouteAuth } from '../../../lib/core/config/model.ts';
import { AccessRules } from '../../../lib/core/policy/access-rules.ts';

interface Who {
  readonly consumer?: string;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>> | null;
}

function lackOf(
  auth: RouteAuth,
  { consumer = 'main:alice', scopes = [], roles = [], claims = {} }: Who = {},
) {
  return new AccessRules(auth).findLack({ consumer, scopes, roles, claims });
}

t.test('all scopes are needed, and any of the roles', async (t) => {
  const auth: RouteAuth = { scopes: ['read', 'write'], roles: ['admin', 'clerk'] };
  t.equal(lackOf(auth, { scopes: ['write', 'x', 'read'], roles: ['clerk'] }), null);
  t.match(lackOf(auth, { scopes: ['write'], roles: ['clerk'] }), 'scope');
  t.match(lackOf(auth, { scopes: ['write', 'read'], roles: ['Admin'] }), 'roles');
  t.equal(lackOf({ scopes: [], roles: [] }), null, 'empty lists ask for nothing');
});

t.test('all claims are needed, each with any of its values', async (t) => {
  const auth: RouteAuth = { claims: { tenant_id: ['acme', 'other'], 'realm.level': [1] } };
  t.equal(lackOf(auth, { claims: { tenant_id: ['acme'], realm: { level: 1 } } }), null);
  t.match(lackOf(auth, { claims: { tenant_id: 'acme', realm: { level: '1' } } }), 'claim');
  t.match(lackOf(auth, { claims: { tenant_id: 'acme' } }), 'claim');
});

t.test('consumers have no claims', async (t) => {
  t.match(lackOf({ claims: { constructor: [true] } }, { consumer: 'a', claims: null }), 'claim');
});

t.test('the list of consumers is about consumers, not about tokens', async (t) => {
  const auth: RouteAuth = { consumers: ['a', 'b'] };
  t.equal(lackOf(auth, { consumer: 'a', claims: null }), null);
  t.match(lackOf(auth, { consumer: 'c', claims: null }), 'consumer');
  t.equal(lackOf(auth, { consumer: 'main:alice' }), null);
});
