/** Parts of the primary that do one thing each. */
import t from 'tap';
import type { ControlEvent } from '../../lib/admin/control-plane.ts';
import { ControlEvents } from '../../lib/primary/control-events.ts';
import { RequestRate } from '../../lib/primary/request-rate.ts';
import { runInSlices } from '../../lib/primary/run-in-slices.ts';

t.test('the rate is that of the last span, and a short span tells none', (t) => {
  const startMs = performance.now();
  const rate = new RequestRate();
  t.equal(rate.perSecond, 0);
  rate.add(5);
  rate.mark(startMs + 500);
  t.equal(rate.perSecond, 0, 'too short');
  rate.add(5);
  rate.mark(startMs + 100_000);
  t.equal(rate.perSecond, 0.1, 'and what came in it counts in the next');
  rate.mark(startMs + 100_999);
  t.equal(rate.perSecond, 0.1);
  rate.add(300);
  rate.mark(startMs + 102_000);
  t.equal(rate.perSecond, 150);
  rate.mark(startMs + 104_000);
  t.equal(rate.perSecond, 0);
  t.end();
});

/** Works in small pieces until it is enough, but not for ever. */
function* workUntil(isEnough: () => boolean): Generator<void, string> {
  const endMs = performance.now() + 10_000;
  while (!isEnough() && performance.now() < endMs) yield;
  return 'done';
}

t.test('long work lets others have their turn, short work does not wait for one', async (t) => {
  let turns = 0;
  const turn = setInterval(() => {
    turns += 1;
  }, 0);
  t.equal(await runInSlices(workUntil(() => turns > 0)), 'done');
  clearInterval(turn);
  t.ok(turns > 0, `${turns} turns`);
  let hadTurn = false;
  setImmediate(() => {
    hadTurn = true;
  });
  await runInSlices(workUntil(() => true));
  t.equal(hadTurn, false);
});

t.test('work that fails, fails', async (t) => {
  await t.rejects(
    runInSlices(
      (function* () {
        yield;
        throw new Error('halfway');
      })(),
    ),
    { message: 'halfway' },
  );
});

t.test('an event reaches all that are subscribed, and nobody who has left', (t) => {
  const events = new ControlEvents();
  const heard: string[] = [];
  const event: ControlEvent = { type: 'store', reachable: true, problem: null };
  const stopOne = events.subscribe(() => heard.push('one'));
  events.subscribe(() => {
    heard.push('two');
    // Who leaves while an event is told does not keep others from it.
    stopOne();
  });
  events.subscribe(() => heard.push('three'));
  events.publish(event);
  events.publish(event);
  t.same(heard, ['one', 'two', 'three', 'two', 'three']);
  t.end();
});
