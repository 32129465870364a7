/** The gateway's reader of responses beside others: `differential-fuzzer.ts` says what is held. */
import t from 'tap';
import { DIFFERENCES, findDivergence, type ReaderName } from './differences.ts';
import { DifferentialFuzzer } from './differential-fuzzer.ts';
import {
  type DeliveredResponse,
  readAsGateway,
  readAsNode,
  readAsStrict,
  readAsUndici,
  type Verdict,
} from './differential-readers.ts';
import { fuzz } from './fuzzer.ts';
import { FUZZ_SECONDS, FUZZ_SEED } from './time-box.ts';

const READERS: Record<ReaderName, (delivered: DeliveredResponse) => Verdict | Promise<Verdict>> = {
  strict: readAsStrict,
  node: readAsNode,
  undici: readAsUndici,
};

const NAMES: readonly ReaderName[] = ['strict', 'node', 'undici'];

async function divergenceOf(name: ReaderName, response: string) {
  const delivered = { method: 'GET', pieces: [Buffer.from(response, 'latin1')], closes: false } as const;
  const verdict = await READERS[name](delivered);
  return findDivergence(delivered.pieces[0], false, readAsGateway(delivered), { name, verdict });
}

t.test('no two readers take the same bytes for different responses, but where it is known why', async (t) => {
  const fuzzer = new DifferentialFuzzer();
  const { fault, report, inputs } = await fuzz(fuzzer, FUZZ_SECONDS, FUZZ_SEED);
  t.equal(fault, null, report);
  t.ok(inputs > 0, `${inputs} inputs, seed ${FUZZ_SEED}`);
  t.comment(Object.fromEntries(fuzzer.explained));
});

for (const { name, why, others, example } of DIFFERENCES) {
  t.test(`a known difference: ${name}`, async (t) => {
    for (const reader of NAMES) {
      const divergence = await divergenceOf(reader, example);
      const names = divergence?.explanations.map((explanation) => explanation.name) ?? [];
      t.equal(names.includes(name), others.includes(reader), `${reader}: ${divergence?.what}; ${why}`);
    }
  });
}

t.test('what is not known is found', async (t) => {
  const bytes = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: a\r\n\r\nbody');
  const whole = readAsGateway({ method: 'GET', pieces: [bytes], closes: false });
  const divergence = (gateway: Verdict, verdict: Verdict) =>
    findDivergence(bytes, false, gateway, { name: 'node', verdict });
  const unexplained = (gateway: Verdict, verdict: Verdict) =>
    divergence(gateway, verdict)?.explanations.length === 0;
  t.equal(divergence(whole, whole), null);
  const changes: Partial<Verdict>[] = [
    { status: 201 },
    { reason: 'Fine' },
    { interim: [103] },
    { fields: ['X', 'a'] },
    { body: 'bod' },
    { trailers: ['X', 'a'] },
    { keepsAlive: false },
    { isWhole: false },
    { isWhole: false, problem: 'HPE_OTHER' },
  ];
  for (const change of changes)
    t.ok(unexplained(whole, { ...whole, ...change }), `another's ${JSON.stringify(change)}`);
  t.ok(
    unexplained({ ...whole, isWhole: false, problem: 'something new' }, whole),
    'a refusal of the gateway',
  );
});
