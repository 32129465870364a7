/** What is known of destinations: the newest word counts, and only for its time. */
import fc from 'fast-check';
import t from 'tap';
import { HealthBoard } from '../../../lib/core/health/health-board.ts';
import type { DestinationHealth, HealthReport } from '../../../lib/core/health/health-report.ts';

const reportOn = (
  destination: string,
  healthy: boolean,
  sequence: number,
  ttlMs = 10_000,
  cluster = 'c',
): HealthReport => ({ cluster, destination, healthy, sequence, ttlMs });
const healthOf = (destination: string, healthy: boolean): DestinationHealth => ({
  cluster: 'c',
  destination,
  healthy,
});

t.test('a newer report replaces an older one, and never the other way round', (t) => {
  const board = new HealthBoard();
  t.equal(board.report([reportOn('a', false, 5)], 0).length, 1);
  t.same(board.report([reportOn('a', true, 4), reportOn('a', true, 6), reportOn('a', false, 5)], 1), [
    reportOn('a', true, 6),
  ]);
  t.same(board.all(1), [reportOn('a', true, 6)]);
  t.end();
});

t.test('destinations of the same id in two clusters are two', (t) => {
  const board = new HealthBoard();
  board.report([reportOn('a', false, 1), reportOn('a', false, 1, 10_000, 'other')], 0);
  board.report([reportOn('a', true, 2, 10_000, 'other')], 0);
  t.same(
    board.all(0).map(({ cluster, healthy }) => [cluster, healthy]),
    [
      ['c', false],
      ['other', true],
    ],
  );
  t.end();
});

t.test('a report with the known sequence renews the time, and nothing else', (t) => {
  const board = new HealthBoard();
  board.report([reportOn('a', false, 5, 10_000)], 0);
  t.same(board.report([reportOn('a', true, 5, 10_000)], 6_000), []);
  t.same(board.all(6_000), [reportOn('a', false, 5, 10_000)]);
  board.report([reportOn('a', false, 5, 1_000)], 7_000);
  t.equal(board.all(7_000)[0]?.ttlMs, 9_000, 'it does not shorten it');
  t.end();
});

t.test('what expires is healthy again, and from then on any sequence is new', (t) => {
  const board = new HealthBoard();
  board.report([reportOn('a', false, 100, 5_000), reportOn('b', true, 100, 5_000)], 1_000);
  t.same(board.takeChanges(), [healthOf('a', false)]);
  t.equal(board.nextExpiryMs(), 6_000);
  board.expire(5_999);
  t.same([board.takeChanges(), board.all(5_999).length], [[], 2]);
  t.equal(board.all(6_000).length, 0, 'it does not wait for anybody to look');
  board.expire(6_000);
  t.same(board.takeChanges(), [healthOf('a', true)]);
  t.equal(board.nextExpiryMs(), Number.POSITIVE_INFINITY);
  t.equal(board.report([reportOn('a', false, 1)], 6_000).length, 1);
  t.end();
});

t.test('a report that comes after the expiry, before anybody looked, is new too', (t) => {
  const board = new HealthBoard();
  board.report([reportOn('a', false, 100, 1_000)], 0);
  board.takeChanges();
  t.equal(board.report([reportOn('a', false, 1, 1_000)], 1_500).length, 1);
  t.same(board.takeChanges(), [], 'it was unhealthy all the time');
  t.end();
});

t.test('workers are told what changed since they were told last, not every report', (t) => {
  const board = new HealthBoard();
  board.report([reportOn('a', true, 1), reportOn('b', false, 1)], 0);
  t.same(board.takeChanges(), [healthOf('b', false)]);
  board.report([reportOn('b', false, 2), reportOn('a', false, 2)], 1);
  board.report([reportOn('a', true, 3)], 2);
  t.same(board.takeChanges(), [], 'there and back again is no change');
  t.end();
});

t.test('beyond the bound further destinations are not taken until one expires', (t) => {
  const board = new HealthBoard(2);
  board.report([reportOn('a', false, 1, 1_000), reportOn('b', false, 1, 5_000)], 0);
  t.same(board.report([reportOn('new', false, 1), reportOn('b', true, 2, 5_000)], 500), [
    reportOn('b', true, 2, 5_000),
  ]);
  t.same(board.report([reportOn('new', false, 1)], 1_000), [reportOn('new', false, 1)]);
  t.same(
    board.all(1_000).map(({ destination }) => destination),
    ['b', 'new'],
  );
  t.end();
});

t.test('many different times to live are not looked at one by one', (t) => {
  const board = new HealthBoard();
  board.report(
    Array.from({ length: 1_000 }, (_, index) => reportOn(`d${index}`, false, 1, 1_000 + index)),
    0,
  );
  let looks = 0;
  for (let next = board.nextExpiryMs(); next !== Number.POSITIVE_INFINITY; next = board.nextExpiryMs()) {
    board.expire(next);
    looks += 1;
  }
  t.ok(looks <= 4, `${looks} looks`);
  t.equal(board.takeChanges().length, 0, 'nobody was told that they were unhealthy');
  t.end();
});

/** One report or a moment at which workers are told. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        destination: fc.constantFrom('a', 'b', 'c'),
        healthy: fc.boolean(),
        sequence: fc.nat(6),
        ttlMs: fc.constantFrom(1_000, 2_500),
      }),
    },
    { weight: 1, arbitrary: fc.constant('tell' as const) },
  ),
  { maxLength: 40 },
);

t.test('after any history, what workers were told is what holds', (t) => {
  fc.assert(
    fc.property(steps, (history) => {
      const board = new HealthBoard();
      const told = new Map<string, boolean>();
      let nowMs = 0;
      const tell = () => {
        board.expire(nowMs);
        for (const { destination, healthy } of board.takeChanges()) told.set(destination, healthy);
      };
      for (const step of history) {
        nowMs += 700;
        if (step === 'tell') tell();
        else board.report([{ cluster: 'c', ...step }], nowMs);
      }
      nowMs += 500;
      tell();
      const holding = new Map(board.all(nowMs).map(({ destination, healthy }) => [destination, healthy]));
      return ['a', 'b', 'c'].every((id) => (told.get(id) ?? true) === (holding.get(id) ?? true));
    }),
    { numRuns: 500 },
  );
  t.end();
});
