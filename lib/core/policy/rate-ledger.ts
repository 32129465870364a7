import { LEAST_OFFER, MAX_REPORTED_KEYS, type RateDemand, type RateShare } from './rate-demand.ts';
import { RateKeyMap } from './rate-key.ts';
import { type RateMembers, RateRecord } from './rate-record.ts';
import { demandThreshold } from './rate-shares.ts';

/** More keys than this are not divided by demand: of those that are pressed less everybody keeps the default share. */
const MAX_KEYS = 4_096;
/** How many records are looked at to find one that has to make room. */
const EXAMINED = 4;
/** So many shares are settled at once, which takes a few ms; the rest has to wait for the next time. */
const MAX_SHARES_AT_ONCE = 2_048;

/** What an instance knows of the rate limits that are pressed: by its own workers, and by other instances. */
export class RateLedger {
  readonly #records: RateKeyMap<RateRecord>;
  readonly #maxKeys: number;
  /** Goes round the records, as the hand of `BucketRing` does. */
  #hand: Iterator<RateRecord>;
  /** Those with news, in the order in which they came. */
  readonly #unsettled = new Set<RateRecord>();
  /** Those that made room for others, and whose workers have not been told yet. */
  readonly #released = new Set<RateRecord>();

  /** @param salt an integer of 32 bits without sign, by chance: see `RateKeyMap` */
  constructor(salt: number, maxKeys = MAX_KEYS) {
    this.#records = new RateKeyMap(salt);
    this.#maxKeys = maxKeys;
    this.#hand = this.#records.values();
  }

  /** How many keys are known, those included that are about to be given up. */
  get size(): number {
    return this.#records.size + this.#released.size;
  }

  noteWorker(worker: number, demands: readonly RateDemand[], nowMs: number): void {
    for (const demand of demands) this.#recordOf(demand, nowMs)?.noteWorker(worker, demand, nowMs);
  }

  noteInstance(instance: string, demands: readonly RateDemand[], nowMs: number): void {
    for (const demand of demands) this.#recordOf(demand, nowMs)?.noteInstance(instance, demand, nowMs);
  }

  /** The worker is gone: what it demanded is free at the next settlement. */
  forgetWorker(worker: number): void {
    for (const record of this.#records.values()) record.forgetWorker(worker);
    for (const record of this.#released) record.forgetWorker(worker);
  }

  /** Divides anew what there are news of. @returns what each worker is to be told, in their order */
  settle(members: RateMembers, nowMs: number): RateShare[][] {
    this.#sweep(nowMs);
    const told = members.workers.map((): RateShare[] => []);
    const tell = (index: number, share: RateShare): void => {
      told[index]!.push(share);
    };
    let settled = 0;
    for (const record of this.#unsettled) {
      if (settled > 0 && settled + members.workers.length > MAX_SHARES_AT_ONCE) break;
      settled += members.workers.length;
      this.#unsettled.delete(record);
      this.#released.delete(record);
      record.settle(members, nowMs, tell);
    }
    return told;
  }

  /** What other instances should hear since the last call: the keys that are pressed most, and what is given up. */
  takeDemands(): RateDemand[] {
    const records = [...this.#records.values()].filter(
      ({ untoldRequests, untoldOffer }) => untoldRequests > 0 || untoldOffer >= LEAST_OFFER,
    );
    const threshold = demandThreshold(
      records.map(({ untoldRequests }) => untoldRequests),
      MAX_REPORTED_KEYS,
    );
    const isWorthAWord = (record: RateRecord): boolean =>
      record.untoldRequests >= threshold || record.untoldOffer >= LEAST_OFFER;
    const chosen = new Set(records.filter(isWorthAWord).slice(0, MAX_REPORTED_KEYS));
    const demands: RateDemand[] = [];
    // What was counted for those that are not chosen is over, too: it would be told too late.
    for (const record of records) {
      const demand = record.takeDemand();
      if (chosen.has(record)) demands.push(demand);
    }
    return demands;
  }

  /** Null where there are too many keys that are pressed as much. */
  #recordOf(demand: RateDemand, nowMs: number): RateRecord | null {
    let record = this.#records.get(demand[0]);
    if (record === undefined) {
      if (this.#records.size >= this.#maxKeys && !this.#makeRoom(demand, nowMs)) return null;
      record = new RateRecord(demand);
      this.#records.set(demand[0], record);
    }
    this.#unsettled.add(record);
    return record;
  }

  /** Gives up the least pressed of a few records, where the new one is pressed more. */
  #makeRoom([, requests]: RateDemand, nowMs: number): boolean {
    if (this.#released.size >= this.#maxKeys) return false;
    let least = this.#turn();
    for (let examined = 1; examined < EXAMINED; examined += 1) {
      const record = this.#turn();
      if (record.demandAt(nowMs) < least.demandAt(nowMs)) least = record;
    }
    if (least.demandAt(nowMs) >= requests) return false;
    this.#records.delete(least.key);
    // Its workers must not stay with the shares that they were told: nobody would ever change them again.
    least.release();
    this.#unsettled.add(least);
    this.#released.add(least);
    return true;
  }

  /** The next record, where there is one at all. */
  #turn(): RateRecord {
    let next = this.#hand.next();
    if (next.done === true) {
      this.#hand = this.#records.values();
      next = this.#hand.next();
    }
    return next.value as RateRecord;
  }

  #sweep(nowMs: number): void {
    for (const record of this.#records.values()) {
      if (record.isRunOut(nowMs)) this.#unsettled.add(record);
      else if (record.isOver(nowMs)) {
        this.#records.delete(record.key);
        this.#unsettled.delete(record);
      }
    }
  }
}
