import fc from 'fast-check';
import t from 'tap';
import type { DestinationState } from '../../../lib/core/balancing/destination-state.ts';
import { Rotation } from '../../../lib/core/balancing/rotation.ts';
import { createDestinations } from './fixtures.ts';

const pool = createDestinations(...new Array<number>(8).fill(1));
const anyMembers = fc.shuffledSubarray(pool);

t.test('the turn passes to the first heir in the old order, or begins anew at the offset', async (t) => {
  fc.assert(
    fc.property(anyMembers, anyMembers, fc.nat(20), fc.nat(7), (before, after, offset, at) => {
      const rotation = new Rotation(offset);
      rotation.replaceMembers(before);
      if (before.length > 0) rotation.moveBehind(at % before.length);
      const turns = [...before.slice(rotation.position), ...before.slice(0, rotation.position)];
      const heir: DestinationState | undefined = turns.find((member) => after.includes(member));
      rotation.replaceMembers(after);
      return after[rotation.position] === (heir ?? after[offset % after.length]);
    }),
    { numRuns: 500 },
  );
  t.pass('the property holds');
});
