import type { InstanceStatus, WaitFor, WorkerReceipt } from '../admin/control-plane.ts';
import type { AppliedChain, Standing } from '../core/config/applied-chain.ts';
import { receiptsOf } from '../core/config/change-receipts.ts';
import type { Fleet, FleetView } from './fleet.ts';
import { FleetMembers } from './fleet-members.ts';

/** What instances say may get lost on the way: so often they are looked up. */
const LOOK_UP_INTERVAL_MS = 500;
/** More writers than this do not wait at the same time: the others are told at once how things stand. */
const MAX_WAITING = 1_000;

interface Wait {
  readonly change: Standing;
  /** Null where only this instance is waited for. */
  readonly members: FleetMembers | null;
  end(): void;
}

/** Waits until everybody serves a change, or the time is over, and says who does. */
export class ReceiptWaiter {
  readonly #chain: AppliedChain;
  readonly #status: () => InstanceStatus;
  readonly #fleet: Fleet;
  readonly #waits = new Set<Wait>();
  #lookUpTimer: NodeJS.Timeout | null = null;
  #isLooking = false;

  constructor(chain: AppliedChain, status: () => InstanceStatus, fleet: Fleet) {
    this.#chain = chain;
    this.#status = status;
    this.#fleet = fleet;
    fleet.listen((status) => {
      for (const { members } of this.#waits) members?.hear(status);
      this.notify();
    });
  }

  /** To be called when a worker of this instance, or what this instance holds, has changed. */
  notify(): void {
    if (this.#isLooking || this.#waits.size === 0) return;
    this.#isLooking = true;
    // News come in bursts, and writers may be many: one look for all of them.
    setImmediate(() => {
      this.#isLooking = false;
      const own = this.#status();
      for (const wait of this.#waits) if (isComplete(this.#take(wait, own))) wait.end();
    });
  }

  /** One receipt a worker of those that are waited for; none with `none`. */
  async wait(change: Standing, waitFor: WaitFor, timeoutMs: number): Promise<readonly WorkerReceipt[]> {
    if (waitFor === 'none') return [];
    const deadlineMs = performance.now() + timeoutMs;
    const members = waitFor === 'all' ? new FleetMembers() : null;
    const wait: Wait = { change, members, end: () => {} };
    if (members !== null) {
      // Already heard from while the list is on its way.
      this.#waits.add(wait);
      await this.#lookUp(members);
      this.#forget(wait);
    }
    const receipts = this.#take(wait, this.#status());
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0 || this.#waits.size >= MAX_WAITING || isComplete(receipts)) return receipts;
    await this.#untilEnd(wait, leftMs);
    return this.#take(wait, this.#status());
  }

  async #untilEnd(wait: Wait, leftMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const limit = setTimeout(resolve, leftMs);
    wait.end = resolve;
    this.#waits.add(wait);
    this.#lookUpTimer ??= setInterval(() => void this.#lookUpForAll(), LOOK_UP_INTERVAL_MS);
    await promise;
    clearTimeout(limit);
    this.#forget(wait);
  }

  #forget(wait: Wait): void {
    this.#waits.delete(wait);
    if (this.#waits.size > 0 || this.#lookUpTimer === null) return;
    clearInterval(this.#lookUpTimer);
    this.#lookUpTimer = null;
  }

  async #lookUpForAll(): Promise<void> {
    const waiting = [...this.#waits].map(({ members }) => members).filter((members) => members !== null);
    if (waiting.length > 0) await this.#lookUp(...waiting);
    this.notify();
  }

  async #lookUp(...waiting: readonly FleetMembers[]): Promise<void> {
    let view: FleetView;
    try {
      view = await this.#fleet.others();
    } catch (error) {
      const problem = `the other instances could not be listed: ${(error as Error).message}`;
      for (const members of waiting) members.noteUnlisted(problem);
      return;
    }
    for (const members of waiting) members.noteListed(view);
  }

  #take({ change, members }: Wait, own: InstanceStatus): WorkerReceipt[] {
    const receipts: WorkerReceipt[] = receiptsOf(own, change, this.#chain);
    return members === null ? receipts : [...receipts, ...members.receiptsOf(change, this.#chain)];
  }
}

function isComplete(receipts: readonly WorkerReceipt[]): boolean {
  return receipts.every(({ ok }) => ok);
}
