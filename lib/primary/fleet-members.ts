import type { InstanceStatus, WorkerReceipt } from '../admin/control-plane.ts';
import type { AppliedChain, Standing } from '../core/config/applied-chain.ts';
import { receiptsOf } from '../core/config/change-receipts.ts';
import type { FleetView, UnknownMember } from './fleet.ts';

interface Member {
  readonly status: InstanceStatus;
  /** False where it was there when the waiting began, and is not any more. */
  readonly isListed: boolean;
}

/** The other instances as one who waits for them has seen them. */
export class FleetMembers {
  readonly #members = new Map<string, Member>();
  #unknown: readonly UnknownMember[] = [];
  #problem: string | null = null;

  /** An instance says how it is. */
  hear(status: InstanceStatus): void {
    this.#members.set(status.instance, { status, isListed: true });
  }

  noteListed({ statuses, unknown }: FleetView): void {
    this.#problem = null;
    this.#unknown = unknown;
    for (const [instance, { status }] of this.#members) {
      this.#members.set(instance, { status, isListed: false });
    }
    for (const status of statuses) {
      const heard = this.#members.get(status.instance)?.status;
      // The list may have been on its way while the instance said something newer.
      const isOlder = heard?.startedAt === status.startedAt && status.at < heard.at;
      this.#members.set(status.instance, { status: isOlder ? heard : status, isListed: true });
    }
  }

  /** Nobody knows who is there. */
  noteUnlisted(problem: string): void {
    this.#problem = problem;
  }

  receiptsOf(change: Standing, chain: AppliedChain): WorkerReceipt[] {
    const receipts = [...this.#members.values()].flatMap((member) => receiptsOfMember(member, change, chain));
    const unknown = this.#unknown.map(({ instance, problem }) => noReceipt(instance, problem));
    const unlisted = this.#problem === null ? [] : [noReceipt('', this.#problem)];
    return [...receipts, ...unknown, ...unlisted];
  }
}

function receiptsOfMember(
  { status, isListed }: Member,
  change: Standing,
  chain: AppliedChain,
): WorkerReceipt[] {
  const receipts = receiptsOf(status, change, chain);
  if (isListed) return receipts;
  const problem = `silent since ${status.at}: it is gone, or cut off from the store`;
  return receipts.map((receipt) => (receipt.ok ? receipt : { ...receipt, problem }));
}

function noReceipt(instance: string, problem: string): WorkerReceipt {
  return { instance, worker: 0, revision: 0, ok: false, problem };
}
