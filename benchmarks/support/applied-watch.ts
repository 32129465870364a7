import type { InstanceStatus } from '../../lib/admin/control-plane.ts';
import { ChangeSignal } from '../../test/helpers/change-signal.ts';
import type { StreamedEvent } from './admin-client.ts';

const LIMIT_MS = 120_000;

interface Applied {
  readonly revision: number;
  readonly atMs: number;
}

/** What the event streams of all instances say: which worker serves which revision since when. */
export class AppliedWatch {
  readonly #workerCount: number;
  readonly #histories = new Map<string, Applied[]>();
  readonly #taken: { readonly instance: string; readonly revision: number; readonly atMs: number }[] = [];
  readonly #serving: { readonly worker: string; readonly atMs: number }[] = [];
  readonly #changed = new ChangeSignal();
  #outOfOrder = 0;

  constructor(workerCount: number) {
    this.#workerCount = workerCount;
  }

  onEvent(instance: string, { type, data, atMs }: StreamedEvent): void {
    const worker = `${instance}/${data.worker}`;
    if (type === 'hello') this.#begin(instance, data as unknown as InstanceStatus, atMs);
    else if (type === 'applied') this.#noteApplied(worker, { revision: Number(data.revision), atMs });
    else if (type === 'change') this.#taken.push({ instance, revision: Number(data.revision), atMs });
    else if (type === 'worker' && data.state === 'gone') this.#histories.delete(worker);
    else if (type === 'worker' && data.state === 'serving') this.#serving.push({ worker, atMs });
    this.#changed.notify();
  }

  /** Events of a worker whose revision was not higher than the one before. */
  get outOfOrder(): number {
    return this.#outOfOrder;
  }

  /** Waits until every worker serves this revision or a later one: gives when the last of them did. */
  waitForAll(revision: number, limitMs = LIMIT_MS): Promise<number> {
    const find = (): number | undefined => {
      let lastMs = 0;
      let count = 0;
      for (const history of this.#histories.values()) {
        const last = history.at(-1);
        if (last === undefined || last.revision < revision) continue;
        count += 1;
        lastMs = Math.max(lastMs, last.atMs);
      }
      return count >= this.#workerCount ? lastMs : undefined;
    };
    return this.#changed.waitFor(
      find,
      limitMs,
      () => `revision ${revision} is not everywhere: ${this.#describe()}`,
    );
  }

  /** Waits for a worker of an instance to come into service after a moment: gives when it did. */
  waitForServing(instance: string, sinceMs: number, limitMs = LIMIT_MS): Promise<number> {
    const find = (): number | undefined =>
      this.#serving.find(({ worker, atMs }) => atMs > sinceMs && worker.startsWith(`${instance}/`))?.atMs;
    return this.#changed.waitFor(find, limitMs, () => `no new worker: ${this.#describe()}`);
  }

  /** When the last worker came to this revision or a later one; NaN where one has not. */
  timeOfAll(revision: number): number {
    const times = [...this.#histories.values()].map(
      (history) => firstFrom(history, revision)?.atMs ?? Number.NaN,
    );
    return times.length < this.#workerCount ? Number.NaN : Math.max(...times);
  }

  /** When the last instance had taken the revision and handed it to its workers. */
  timeTaken(revision: number): number {
    return Math.max(...this.#taken.filter((one) => one.revision === revision).map(({ atMs }) => atMs));
  }

  /** How often a worker did not say that it serves one of these revisions. */
  missing(revisions: readonly number[]): number {
    let missing = 0;
    for (const history of this.#histories.values()) {
      const said = new Set(history.map(({ revision }) => revision));
      missing += revisions.filter((revision) => !said.has(revision)).length;
    }
    return missing;
  }

  /** A stream begins with how the instance is then. It may have been started again, its workers with it. */
  #begin(instance: string, { workers }: InstanceStatus, atMs: number): void {
    for (const worker of this.#histories.keys()) {
      if (worker.startsWith(`${instance}/`)) this.#histories.delete(worker);
    }
    for (const { worker, revision } of workers) {
      if (revision !== null) this.#histories.set(`${instance}/${worker}`, [{ revision, atMs }]);
    }
  }

  #noteApplied(worker: string, applied: Applied): void {
    let history = this.#histories.get(worker);
    if (history === undefined) {
      history = [];
      this.#histories.set(worker, history);
    }
    if ((history.at(-1)?.revision ?? -1) >= applied.revision) this.#outOfOrder += 1;
    history.push(applied);
  }

  #describe(): string {
    const heads = [...this.#histories].map(([worker, history]) => `${worker} at ${history.at(-1)?.revision}`);
    return heads.join(', ');
  }
}

/** Revisions only rise, so the first that is not lower is found by halving. */
function firstFrom(history: readonly Applied[], revision: number): Applied | undefined {
  let low = 0;
  let high = history.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (history[middle]!.revision < revision) low = middle + 1;
    else high = middle;
  }
  return history[low];
}
