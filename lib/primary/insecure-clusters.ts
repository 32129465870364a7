import type { Logger } from 'pino';
import type { Operation } from '../core/config/change.ts';
import type { Cluster } from '../core/config/model.ts';

const MAX_LOGGED = 20;

/** Says loudly which clusters take any certificate of their origins: once for each, when it begins to. */
export class InsecureClusters {
  readonly #logger: Logger;
  readonly #known = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  begin(clusters: ReadonlyMap<string, Cluster>): void {
    const found: string[] = [];
    for (const [id, cluster] of clusters) if (this.#isNews(id, cluster)) found.push(id);
    this.#warn(found);
  }

  /** A change costs what it touches. */
  change(operations: Iterable<Operation>): void {
    const found: string[] = [];
    for (const operation of operations) {
      if (operation.kind !== 'cluster') continue;
      const cluster = operation.op === 'put' ? operation.value : null;
      if (this.#isNews(operation.id, cluster)) found.push(operation.id);
    }
    this.#warn(found);
  }

  #isNews(id: string, cluster: Cluster | null): boolean {
    if (cluster?.tls?.insecureSkipVerify !== true) {
      this.#known.delete(id);
      return false;
    }
    const isNews = !this.#known.has(id);
    this.#known.add(id);
    return isNews;
  }

  #warn(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#logger.warn(
      { clusters: ids.slice(0, MAX_LOGGED), count: ids.length },
      'origins are not verified (insecureSkipVerify): whoever is in between can read and change everything',
    );
  }
}
