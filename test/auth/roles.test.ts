import t from 'tap';
import { allows, highestRole, isRole, ROLES } from '../../lib/auth/roles.ts';

t.test('each role may do what the ones before it may, and nothing more', async (t) => {
  for (const [index, role] of ROLES.entries()) {
    for (const [needed, neededRole] of ROLES.entries()) {
      t.equal(allows(role, neededRole), index >= needed, `${role} for ${neededRole}`);
    }
  }
});

t.test('the highest of several roles counts, and what is none is passed over', async (t) => {
  t.equal(highestRole(['reader', 'admin', 'operator']), 'admin');
  t.equal(highestRole(['owner', 7, null, 'reader']), 'reader');
  t.equal(highestRole(['Admin', 'administrator', ['admin']]), null);
  t.equal(isRole('toString'), false);
});
