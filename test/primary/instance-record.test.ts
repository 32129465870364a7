/** What other instances say of themselves comes from outside: it must not bring this one down. */
import fc from 'fast-check';
import t from 'tap';
import type { InstanceStatus } from '../../lib/admin/control-plane.ts';
import { AppliedChain } from '../../lib/core/config/applied-chain.ts';
import { receiptsOf } from '../../lib/core/config/change-receipts.ts';
import { recordOf, statusOf } from '../../lib/primary/instance-record.ts';
import type { InstanceRecord } from '../../lib/store/shared-state.ts';
import { statusAt } from './statuses.ts';

const CHANGE = { revision: 3, id: 'c' };
const problem = (index: number) => ({
  pointer: `/routes/r${index}`,
  message: 'no such cluster',
  hint: 'none',
});

function refusing(count: number): InstanceStatus {
  const status = statusAt('two', { revision: 2, id: 'b' });
  const problems = Array.from({ length: count }, (_, index) => problem(index));
  const refused = { revision: 3, at: status.at, problems, problemCount: count };
  return { ...status, configuration: { ...status.configuration, refused } };
}

const lacking = (count: number) =>
  statusAt('two', CHANGE, {
    materials: Array.from({ length: count }, (_, index) => ({
      name: `file:/${index}`,
      problem: 'it is empty',
      since: new Date(0).toISOString(),
    })),
  });

const throughJson = (record: InstanceRecord): InstanceRecord => JSON.parse(JSON.stringify(record));

t.test('a status comes back as it was', (t) => {
  for (const status of [
    statusAt('two', CHANGE),
    refusing(1),
    lacking(5),
    statusAt('two', CHANGE, { workers: [] }),
  ]) {
    t.same(statusOf(throughJson(recordOf(status))), status);
  }
  t.end();
});

t.test('of very many problems only the first few travel, and how many there are', (t) => {
  const told = statusOf(throughJson(recordOf(refusing(500))))?.configuration.refused;
  t.same([told?.problems.length, told?.problemCount], [5, 500]);
  t.equal(statusOf(throughJson(recordOf(lacking(100))))?.materials.length, 5);
  t.end();
});

t.test('what a newer version says besides is no reason not to understand it', (t) => {
  const newer = { ...recordOf(statusAt('two', CHANGE)), mood: 'good' };
  t.match(statusOf(newer), { instance: 'two' });
  t.end();
});

t.test('an older version says nothing of materials', (t) => {
  const { materials: _, ...older } = recordOf(statusAt('two', CHANGE));
  t.same(statusOf(older as InstanceRecord)?.materials, []);
  t.end();
});

/** Every place in a record, by the names that lead there. */
function placesIn(value: unknown, way: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [way];
  return [way, ...Object.entries(value).flatMap(([name, inner]) => placesIn(inner, [...way, name]))];
}

function replaceAt(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  const replaced = replaceAt(copy[name], rest, by);
  if (replaced === undefined) delete copy[name];
  else copy[name] = replaced;
  return copy;
}

t.test('whatever stands in the place of one of its parts: it is understood, or it is none', (t) => {
  const record = recordOf({ ...refusing(2), materials: lacking(1).materials });
  const places = placesIn(record).filter((way) => way.length > 0);
  const nothing = fc.constantFrom(undefined, null, '', 'text', 0, -1, 1.5, true, [], {}, [null], [{}]);
  const chain = new AppliedChain();
  chain.add(CHANGE);
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.oneof(nothing, fc.jsonValue()), (place, by) => {
      const status = statusOf(replaceAt(record, place, by) as InstanceRecord);
      if (status === null) refused += 1;
      else for (const { problem } of receiptsOf(status, CHANGE, chain)) t.equal(typeof problem, 'string');
    }),
    { numRuns: 1_000 },
  );
  t.ok(refused > 100, `${refused} were none`);
  for (const place of places.filter(
    (way) => way.at(-1) !== 'hint' && way.at(-1) !== 'materials' && !/^\d+$/.test(way.at(-1) ?? ''),
  )) {
    t.equal(
      statusOf(replaceAt(record, place, undefined) as InstanceRecord),
      null,
      `without ${place.join('.')}`,
    );
  }
  t.end();
});
