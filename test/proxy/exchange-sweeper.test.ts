/** Who is swept: all that were added and not taken out again, in whatever order. */
import fc from 'fast-check';
import t from 'tap';
import { ExchangeSweeper, type Sweepable } from '../../lib/proxy/exchange-sweeper.ts';

class Probe implements Sweepable {
  sweepIndex = -1;
  readonly #onSwept: () => void;

  constructor(onSwept: () => void = () => {}) {
    this.#onSwept = onSwept;
  }

  checkLimits(): void {
    this.#onSwept();
  }
}

const COUNT = 8;
const steps = fc.array(fc.record({ adds: fc.boolean(), index: fc.nat(COUNT - 1) }), { maxLength: 60 });

t.test('each of them has a place of its own, and no other has one', async (t) => {
  fc.assert(
    fc.property(steps, (history) => {
      const sweeper = new ExchangeSweeper();
      const probes = Array.from({ length: COUNT }, () => new Probe());
      const members = new Set<Probe>();
      for (const { adds, index } of history) {
        const probe = probes[index]!;
        if (!adds) {
          sweeper.delete(probe);
          members.delete(probe);
        } else if (!members.has(probe)) {
          sweeper.add(probe);
          members.add(probe);
        }
        const places = [...members].map(({ sweepIndex }) => sweepIndex).sort((a, b) => a - b);
        const isRight =
          sweeper.size === members.size &&
          places.every((place, at) => place === at) &&
          probes.every((one) => members.has(one) || one.sweepIndex === -1);
        if (!isRight) return false;
      }
      sweeper.stop();
      return true;
    }),
  );
  t.pass('held for all of them');
});

/** Keeps the process alive while it waits: the sweeper does not. */
async function nextSweep(sweeper: ExchangeSweeper): Promise<void> {
  const alive = setInterval(() => {}, 1_000);
  await new Promise<void>((resolve) => {
    const last = new Probe(() => {
      sweeper.delete(last);
      resolve();
    });
    sweeper.add(last);
  });
  clearInterval(alive);
}

t.test('a sweep looks at each member once, also where members leave meanwhile', async (t) => {
  const sweeper = new ExchangeSweeper();
  t.teardown(() => sweeper.stop());
  const swept: string[] = [];
  const probes = new Map<string, Probe>();
  const add = (name: string, leaving: readonly string[] = []): void => {
    const probe = new Probe(() => {
      swept.push(name);
      for (const other of leaving) sweeper.delete(probes.get(other)!);
    });
    probes.set(name, probe);
    sweeper.add(probe);
  };
  add('a');
  add('b', ['b', 'd']);
  add('c');
  add('d');
  add('e', ['a']);
  add('f');
  sweeper.delete(probes.get('c')!);
  await nextSweep(sweeper);
  t.same(swept.sort(), ['a', 'b', 'e', 'f'], '`d` had left before its turn');
  t.equal(sweeper.size, 2);
  swept.length = 0;
  await nextSweep(sweeper);
  t.same(swept.sort(), ['e', 'f']);
});
