import t from 'tap';
import type { RouteAuth } from '../../../lib/core/config/model.ts';
import { Challenges } from '../../../lib/core/policy/challenges.ts';

function valuesOf(fields: readonly string[]): readonly string[] {
  return fields.filter((_, index) => index % 2 === 1);
}

t.test('a challenge for each kind that is accepted', async (t) => {
  const cases: readonly (readonly [RouteAuth, readonly string[]])[] = [
    [{ issuers: ['main'] }, ['Bearer realm="gateway"']],
    [{ basic: {} }, ['Basic realm="gateway", charset="UTF-8"']],
    [{ basic: { realm: 'Orders' } }, ['Basic realm="Orders", charset="UTF-8"']],
    [{ apiKey: {} }, ['ApiKey realm="gateway"']],
    [{ issuers: ['main'], basic: { realm: 'x' } }, ['Bearer realm="x"', 'Basic realm="x", charset="UTF-8"']],
    [{}, ['Bearer realm="gateway"']],
  ];
  for (const [auth, expected] of cases) {
    const { plain } = new Challenges(auth);
    t.same(valuesOf(plain), expected);
    t.ok(plain.every((text, index) => index % 2 === 1 || text === 'www-authenticate'));
  }
});

t.test('RFC 6750 §3: what was wrong with the token', async (t) => {
  const challenges = new Challenges({
    issuers: ['main'],
    basic: {},
    scopes: ['orders.read', 'orders.write'],
  });
  t.same(valuesOf(challenges.invalidToken), [
    'Bearer realm="gateway", error="invalid_token"',
    'Basic realm="gateway", charset="UTF-8"',
  ]);
  t.same(valuesOf(challenges.insufficientScope), [
    'Bearer realm="gateway", error="insufficient_scope", scope="orders.read orders.write"',
  ]);
});

t.test('a scope that no challenge can name is not named', async (t) => {
  for (const scope of ['a b', 'a"', 'a\\b', 'ü', 'a\r\nset-cookie: b']) {
    const { insufficientScope } = new Challenges({ issuers: ['main'], scopes: [scope] });
    t.same(valuesOf(insufficientScope), ['Bearer realm="gateway", error="insufficient_scope"'], scope);
  }
});

t.test('no word of scopes where no token is taken', async (t) => {
  t.same(new Challenges({ apiKey: {}, scopes: ['a'] }).insufficientScope, []);
});
