/** Mutated answers of an origin: `response-fuzzer.ts` says what is held. */
import t from 'tap';
import { fuzz } from './fuzzer.ts';
import { startResponseFuzzer } from './response-fuzzer.ts';
import { FUZZ_SECONDS, FUZZ_SEED } from './time-box.ts';

t.test(
  'mutated answers: no client gets a byte of another one, or half of one for a whole, no worker dies',
  async (t) => {
    const fuzzer = await startResponseFuzzer(t, FUZZ_SEED);
    const { fault, report, inputs, requests } = await fuzz(fuzzer, FUZZ_SECONDS, FUZZ_SEED);
    t.equal(fault, null, report);
    t.ok(requests > 0, `${inputs} inputs, ${requests} requests at the origin, seed ${FUZZ_SEED}`);
  },
);
