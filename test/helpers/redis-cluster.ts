/** A real Redis Cluster of three nodes without replicas. */
import { parseRedisUrl, type RedisSecrets, type RedisSettings } from '../../lib/store/redis/redis-url.ts';
import { NO_SECRETS, type RedisOptions, type RedisProcess, startRedis } from './redis-server.ts';
import type { TestOwner } from './test-owner.ts';

const SLOTS = 16_384;
const NODE_COUNT = 3;
/** Nodes wait two seconds before they serve, lest one that was away serves what has moved meanwhile. */
const FORMING_LIMIT_MS = 20_000;

export class RedisCluster {
  readonly nodes: readonly RedisProcess[];

  constructor(nodes: readonly RedisProcess[]) {
    this.nodes = nodes;
  }

  get url(): string {
    const scheme = this.#node(0).settings().tls === null ? 'redis' : 'rediss';
    return `${scheme}+cluster://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  settings(prefix?: string, secrets: Partial<RedisSecrets> = {}): RedisSettings {
    const { password, tls } = this.#node(0).settings();
    const own = { ...NO_SECRETS, password, ca: tls?.ca ?? null };
    return parseRedisUrl(this.url, { ...own, prefix: prefix ?? null, ...secrets });
  }

  /** The node that has the slot of `key`, as the slots were given out at first. */
  async ownerOf(key: string): Promise<RedisProcess> {
    const slot = Number(await this.#node(0).command('CLUSTER', 'KEYSLOT', key));
    return this.#node(this.nodes.findIndex((_, index) => slot < firstSlotOf(index + 1)));
  }

  #node(index: number): RedisProcess {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`the cluster has no node ${index}`);
    return node;
  }
}

/** Starts a cluster that ends with the test, all slots given out, and waits until it serves. */
export async function startRedisCluster(owner: TestOwner, options: RedisOptions = {}): Promise<RedisCluster> {
  const configuration = [
    ...(options.configuration ?? []),
    'cluster-enabled yes',
    'cluster-node-timeout 2000',
    ...(options.tls === undefined ? [] : ['tls-cluster yes']),
  ];
  const starting = Array.from({ length: NODE_COUNT }, () => startRedis(owner, { ...options, configuration }));
  const nodes = await Promise.all(starting);
  for (const [index, node] of nodes.entries()) {
    // Without epochs of their own the nodes would first quarrel about who may number them.
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    const [first, last] = [firstSlotOf(index), firstSlotOf(index + 1) - 1];
    await node.command('CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
  }
  for (const { port } of nodes.slice(1)) {
    await nodes[0]?.command('CLUSTER', 'MEET', '127.0.0.1', String(port));
  }
  await Promise.all(nodes.map((node) => node.waitForLog(/Cluster state changed: ok/, 0, FORMING_LIMIT_MS)));
  return new RedisCluster(nodes);
}

function firstSlotOf(index: number): number {
  return Math.floor((index * SLOTS) / NODE_COUNT);
}
