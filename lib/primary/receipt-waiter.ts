import type { InstanceStatus, WaitFor, WorkerReceipt } from '../admin/control-plane.ts';
import type { AppliedChain, Standing } from '../core/config/applied-chain.ts';
import { receiptsOf } from '../core/config/change-receipts.ts';
import type { Fleet } from './fleet.ts';

/** What instances say may get lost on the way: so often they are looked up. */
const LOOK_UP_INTERVAL_MS = 500;
/** More writers than this do not wait at the same time: the others are told at once how things stand. */
const MAX_WAITING = 1_000;

/** Waits until everybody serves a change, or the time is over, and says who does. */
export class ReceiptWaiter {
  readonly #chain: AppliedChain;
  readonly #status: () => InstanceStatus;
  readonly #fleet: Fleet;
  readonly #waits = new Set<() => void>();

  constructor(chain: AppliedChain, status: () => InstanceStatus, fleet: Fleet) {
    this.#chain = chain;
    this.#status = status;
    this.#fleet = fleet;
  }

  /** To be called when a worker of this instance, or what this instance holds, has changed. */
  notify(): void {
    for (const look of [...this.#waits]) look();
  }

  /** One receipt a worker of those that are waited for; none with `none`. */
  async wait(change: Standing, waitFor: WaitFor, timeoutMs: number): Promise<readonly WorkerReceipt[]> {
    if (waitFor === 'none') return [];
    const members = new Map<string, MemberView>();
    const takeOwn = (): WorkerReceipt[] => receiptsOf(this.#status(), change, this.#chain);
    const takeAll = (): WorkerReceipt[] => [
      ...takeOwn(),
      ...[...members.values()].flatMap((member) => this.#receiptsOfMember(member, change)),
    ];
    if (waitFor === 'instance') return this.#until(takeOwn, timeoutMs, async () => {});
    let problem: string | null = null;
    const lookUp = async (): Promise<void> => {
      try {
        noteListed(members, await this.#fleet.others());
        problem = null;
      } catch (error) {
        problem = `the other instances could not be listed: ${(error as Error).message}`;
      }
    };
    const stopListening = this.#fleet.listen((status) => {
      members.set(status.instance, { status, isListed: true });
      this.notify();
    });
    const take = (): WorkerReceipt[] =>
      problem === null ? takeAll() : [...takeAll(), unknownMember(problem)];
    const deadlineMs = performance.now() + timeoutMs;
    await lookUp();
    const receipts = await this.#until(take, deadlineMs - performance.now(), lookUp);
    stopListening();
    return receipts;
  }

  #receiptsOfMember({ status, isListed }: MemberView, change: Standing): WorkerReceipt[] {
    const receipts = receiptsOf(status, change, this.#chain);
    if (isListed) return receipts;
    const problem = `silent since ${status.at}: it is gone, or cut off from the store`;
    return receipts.map((receipt) => (receipt.ok ? receipt : { ...receipt, problem }));
  }

  #until(
    take: () => WorkerReceipt[],
    timeoutMs: number,
    lookUp: () => Promise<void>,
  ): Promise<readonly WorkerReceipt[]> {
    const receipts = take();
    if (timeoutMs <= 0 || this.#waits.size >= MAX_WAITING || isComplete(receipts)) {
      return Promise.resolve(receipts);
    }
    return new Promise((resolve) => {
      const end = (): void => {
        this.#waits.delete(look);
        clearTimeout(limit);
        clearInterval(interval);
        resolve(take());
      };
      const look = (): void => {
        if (isComplete(take())) end();
      };
      const limit = setTimeout(end, timeoutMs);
      const interval = setInterval(() => void lookUp().then(look), LOOK_UP_INTERVAL_MS);
      this.#waits.add(look);
    });
  }
}

interface MemberView {
  readonly status: InstanceStatus;
  /** False where it was there when the waiting began, and is not any more. */
  readonly isListed: boolean;
}

function noteListed(members: Map<string, MemberView>, listed: readonly InstanceStatus[]): void {
  for (const [instance, { status }] of members) members.set(instance, { status, isListed: false });
  for (const status of listed) {
    const heard = members.get(status.instance)?.status;
    // The list may have been on its way while the instance said something newer.
    const isOlder = heard?.startedAt === status.startedAt && status.at < heard.at;
    members.set(status.instance, { status: isOlder ? heard : status, isListed: true });
  }
}

function unknownMember(problem: string): WorkerReceipt {
  return { instance: '', worker: 0, revision: 0, ok: false, problem };
}

function isComplete(receipts: readonly WorkerReceipt[]): boolean {
  return receipts.every(({ ok }) => ok);
}
