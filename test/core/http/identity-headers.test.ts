import fc from 'fast-check';
import t from 'tap';
import { IdentityHeaders, NO_IDENTITY_HEADERS } from '../../../lib/core/http/identity-headers.ts';

const TOKEN = "!#$%&'*+.^_`|~-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The variable that servers make of a field. */
function variableOf(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}

t.test('a name and whatever an origin may take for it', async (t) => {
  const headers = new IdentityHeaders(['X-User-Id', 'x_tenant', 'plain']);
  const taken = [
    ...['x-user-id', 'X-USER-ID', 'x_user_id', 'X_User-Id', 'x-user_id', 'X.User.Id', "x'user~id"],
    ...['x-tenant', 'X_TENANT', 'X.Tenant', 'Plain'],
  ];
  for (const name of [...taken, ...taken]) t.ok(headers.has(name), name);
  for (const name of ['x-user', 'x-user-id-', 'xuserid', 'x--user-id', 'plain-', 'user-id', ''])
    t.notOk(headers.has(name), name);
});

t.test('exactly those fields are taken that make the same variable', async () => {
  const name = fc.string({ unit: fc.constantFrom(...TOKEN), minLength: 1, maxLength: 8 });
  const marks = fc.array(fc.constantFrom('-', '_', '.', '~'), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(name, { minLength: 1, maxLength: 4 }),
      name,
      fc.nat(4),
      marks,
      (names, other, which, dashes) => {
        const headers = new IdentityHeaders(names);
        const asked = (names[which] ?? other).toUpperCase();
        const spelled = [...asked]
          .map((one, index) => (/\w/.test(one) && one !== '_' ? one : dashes[index]))
          .join('');
        const expected = names.some((one) => variableOf(one) === variableOf(spelled));
        return headers.has(spelled) === expected && headers.has(spelled) === expected;
      },
    ),
    { numRuns: 500 },
  );
});

t.test('with more names than are remembered, and longer ones, none slips through', async (t) => {
  const long = `x-${'a'.repeat(500)}`;
  const headers = new IdentityHeaders(['x-user-id', long]);
  for (let index = 0; index < 3_000; index += 1) t.notOk(headers.has(`x-noise-${index}`));
  for (const name of ['X_User_Id', 'x-USER-id', long, long.toUpperCase()]) t.ok(headers.has(name));
});

t.test('without any there is nothing to take', async (t) => {
  t.ok(NO_IDENTITY_HEADERS.isEmpty);
  t.notOk(NO_IDENTITY_HEADERS.has('x-user-id'));
  t.notOk(new IdentityHeaders(['a']).isEmpty);
});
