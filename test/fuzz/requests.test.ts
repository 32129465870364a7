/** Mutated requests: `request-fuzzer.ts` says what is held. */
import t from 'tap';
import { fuzz } from './fuzzer.ts';
import { startRequestFuzzer } from './request-fuzzer.ts';
import { FUZZ_SECONDS, FUZZ_SEED } from './time-box.ts';

t.test('mutated requests: none is smuggled, none is answered with another one, no worker dies', async (t) => {
  const fuzzer = await startRequestFuzzer(t, FUZZ_SEED);
  const { fault, report, inputs, requests } = await fuzz(fuzzer, FUZZ_SECONDS, FUZZ_SEED);
  t.equal(fault, null, report);
  t.ok(requests > 0, `${inputs} inputs, ${requests} requests at the origin, seed ${FUZZ_SEED}`);
});
