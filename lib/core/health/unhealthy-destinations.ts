import type { DestinationHealth } from './health-report.ts';

/** The destinations that are known to be unhealthy; all others are taken for healthy. */
export class UnhealthyDestinations {
  readonly #byCluster = new Map<string, Set<string>>();

  note({ cluster, destination, healthy }: DestinationHealth): void {
    const known = this.#byCluster.get(cluster);
    if (!healthy) {
      if (known === undefined) this.#byCluster.set(cluster, new Set([destination]));
      else known.add(destination);
    } else if (known?.delete(destination) && known.size === 0) {
      this.#byCluster.delete(cluster);
    }
  }

  /** The ids of a cluster's unhealthy destinations. */
  of(cluster: string): Iterable<string> {
    return this.#byCluster.get(cluster) ?? [];
  }

  list(): DestinationHealth[] {
    const destinations: DestinationHealth[] = [];
    for (const [cluster, ids] of this.#byCluster) {
      for (const destination of ids) destinations.push({ cluster, destination, healthy: false });
    }
    return destinations;
  }
}
