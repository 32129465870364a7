import { DEMAND_LIFETIME_MS, LEAST_OFFER, type RateDemand, type RateShare } from './rate-demand.ts';
import { divideByWeight, divideShares } from './rate-shares.ts';

/** Shares that move by less than this part of themselves are not told anew. */
const TOLD_TOLERANCE = 0.1;

/** Who there is to divide a limit among. */
export interface RateMembers {
  /** The workers of this instance, by id. */
  readonly workers: readonly number[];
  /** How many instances there are, this one included. */
  readonly instances: number;
  /** Whether the others can be heard: if not, their silence says nothing of their demand. */
  readonly hearsOthers: boolean;
  /** What a worker of this instance has while nobody demands anything. */
  readonly defaultShare: number;
}

interface Demand {
  readonly requests: number;
  readonly atMs: number;
}

interface Division {
  /** Of each worker, in their order. */
  readonly workers: readonly number[];
  /** Of this instance as a whole. */
  readonly own: number;
  /** Of all others that can be given something. */
  readonly elsewhere: number;
  readonly others: ReadonlyMap<string, number>;
  /** Of an instance that demands nothing. */
  readonly silent: number;
}

/** What an instance knows of one key of a rate limit: who demands how much of it, and who gave up what. */
export class RateRecord {
  readonly key: number;
  readonly burst: number;
  readonly tokensPerMs: number;
  readonly #byWorker = new Map<number, Demand>();
  readonly #byInstance = new Map<string, Demand>();
  /** What each worker was told last; null: the default share. */
  readonly #told = new Map<number, number | null>();
  /** Tokens given up since the last settlement, by worker and by instance. */
  readonly #offeredByWorker = new Map<number, number>();
  readonly #offeredByInstance = new Map<string, number>();
  #lastNewsMs = Number.NEGATIVE_INFINITY;
  #lastDemandMs = Number.NEGATIVE_INFINITY;
  #lastRequests = 0;
  /** For other instances, since `takeDemand`. */
  #requests = 0;
  #offered = 0;

  constructor([key, , , burst, tokensPerMs]: RateDemand) {
    this.key = key;
    this.burst = burst;
    this.tokensPerMs = tokensPerMs;
  }

  noteWorker(worker: number, [, requests, offered]: RateDemand, nowMs: number): void {
    this.#noteNews(requests, nowMs);
    this.#requests += requests;
    if (requests > 0) this.#byWorker.set(worker, { requests, atMs: nowMs });
    if (offered > 0) this.#offeredByWorker.set(worker, (this.#offeredByWorker.get(worker) ?? 0) + offered);
  }

  noteInstance(instance: string, [, requests, offered]: RateDemand, nowMs: number): void {
    this.#noteNews(requests, nowMs);
    if (requests > 0) this.#byInstance.set(instance, { requests, atMs: nowMs });
    if (offered > 0)
      this.#offeredByInstance.set(instance, (this.#offeredByInstance.get(instance) ?? 0) + offered);
  }

  forgetWorker(worker: number): void {
    this.#byWorker.delete(worker);
    this.#told.delete(worker);
    this.#offeredByWorker.delete(worker);
  }

  /** Whether it has to be settled though nothing new came: the last demand has run out. */
  isRunOut(nowMs: number): boolean {
    return this.#told.size > 0 && nowMs - this.#lastDemandMs > DEMAND_LIFETIME_MS;
  }

  /** Whether nothing would be lost with it. */
  isOver(nowMs: number): boolean {
    return this.#told.size === 0 && nowMs - this.#lastNewsMs > DEMAND_LIFETIME_MS;
  }

  /** How many requests the last report told of; 0 where that is long ago. */
  demandAt(nowMs: number): number {
    return nowMs - this.#lastDemandMs > DEMAND_LIFETIME_MS ? 0 : this.#lastRequests;
  }

  /** Nobody demands anything any more: at the next settlement all get the default share. */
  release(): void {
    this.#byWorker.clear();
    this.#byInstance.clear();
  }

  /** How many requests other instances have not been told of. */
  get untoldRequests(): number {
    return this.#requests;
  }

  /** How many tokens they have not been offered. */
  get untoldOffer(): number {
    return this.#offered;
  }

  /** What other instances should hear, since the last call. */
  takeDemand(): RateDemand {
    const demand: RateDemand = [this.key, this.#requests, this.#offered, this.burst, this.tokensPerMs];
    this.#requests = 0;
    this.#offered = 0;
    return demand;
  }

  /** Divides the limit anew, and says what workers have to be told, by their place among the members. */
  settle(members: RateMembers, nowMs: number, tell: (index: number, share: RateShare) => void): void {
    const { workers } = members;
    this.#forgetOld(this.#byWorker, nowMs);
    this.#forgetOld(this.#byInstance, nowMs);
    const isPressed = this.#byWorker.size + this.#byInstance.size > 0;
    const division = this.#divide(members);
    const granted = this.#grant(workers, division);
    const targets = isPressed ? division.workers : null;
    // All are told when one has to be: the shares of which they are told add up only together.
    const isNews = workers.some((worker, index) => this.#isNews(worker, targets?.[index] ?? null, members));
    for (let index = 0; index < workers.length; index += 1) {
      const worker = workers[index]!;
      const tokens = granted?.[index] ?? 0;
      if (!isNews && tokens < LEAST_OFFER) continue;
      const share = isNews ? (targets?.[index] ?? null) : (this.#told.get(worker) ?? null);
      this.#told.set(worker, share);
      tell(index, [this.key, share, tokens, this.burst, this.tokensPerMs]);
    }
    if (!isPressed) this.#told.clear();
  }

  #noteNews(requests: number, nowMs: number): void {
    this.#lastNewsMs = nowMs;
    if (requests === 0) return;
    this.#lastDemandMs = nowMs;
    this.#lastRequests = requests;
  }

  #forgetOld<Id>(demands: Map<Id, Demand>, nowMs: number): void {
    for (const [id, { atMs }] of demands) if (nowMs - atMs > DEMAND_LIFETIME_MS) demands.delete(id);
  }

  /** First among the instances, then among the workers of this one. */
  #divide({ workers, instances, hearsOthers }: RateMembers): Division {
    const demands = workers.map((worker) => this.#byWorker.get(worker)?.requests ?? 0);
    if (!hearsOthers || (instances === 1 && this.#byInstance.size === 0)) {
      const own = 1 / instances;
      const shares = divideShares(demands).map((share) => share * own);
      return { workers: shares, own, elsewhere: 0, others: new Map(), silent: own };
    }
    const names = [...this.#byInstance.keys()];
    const others = [...this.#byInstance.values()].map(({ requests }) => requests);
    const silent = new Array<number>(Math.max(0, instances - 1 - others.length)).fill(0);
    const [own = 1, ...rest] = divideShares([sum(demands), ...others, ...silent]);
    return {
      workers: divideShares(demands).map((share) => share * own),
      own,
      elsewhere: 1 - own,
      others: new Map(names.map((name, index) => [name, rest[index]!])),
      silent: rest[others.length] ?? 0,
    };
  }

  /**
   * Divides what was given up, among those who did not give it up themselves, by their shares. So the tokens of a
   * limit do not become more when shares move, and few are lost. Null where nothing was.
   */
  #grant(workers: readonly number[], division: Division): number[] | null {
    if (this.#offeredByWorker.size + this.#offeredByInstance.size === 0) return null;
    const takers = workers.map((worker, index) =>
      this.#offeredByWorker.has(worker) ? 0 : division.workers[index]!,
    );
    const given = sum(this.#offeredByWorker.values());
    const [forOthers = 0, ...forWorkers] = divideByWeight(given, [division.elsewhere, ...takers]);
    this.#offered += forOthers;
    const received = divideByWeight(this.#takePart(division), division.workers);
    this.#offeredByWorker.clear();
    return received.map((tokens, index) => tokens + forWorkers[index]!);
  }

  /** Our part of what other instances gave up: each takes its own, by the same rule. */
  #takePart({ own, others, silent }: Division): number {
    let part = 0;
    for (const [instance, offered] of this.#offeredByInstance) {
      part += offered * Math.min(1, own / (1 - (others.get(instance) ?? silent)));
    }
    this.#offeredByInstance.clear();
    return part;
  }

  #isNews(worker: number, target: number | null, { defaultShare }: RateMembers): boolean {
    const told = this.#told.get(worker);
    if (target === null) return told !== undefined && told !== null;
    if (told === undefined && this.#told.size > 0) return true;
    const before = told ?? defaultShare;
    return Math.abs(target - before) > TOLD_TOLERANCE * Math.min(target, before);
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
