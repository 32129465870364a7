import type { Redis } from 'ioredis';
import { createClient } from './redis-client.ts';
import type { RedisSettings } from './redis-url.ts';
import type { RedisNode } from './url-parts.ts';

/** A cluster has fewer masters and replicas than this; more are not remembered. */
const MAX_KNOWN_NODES = 1_000;

/**
 * Knows which server to connect to next. All keys live on one slot of a cluster, so one node of it is
 * all that is needed: any node tells which one has them.
 */
export class RedisDialer {
  readonly #settings: RedisSettings;
  /** The seeds, and the nodes of the cluster that became known. */
  #nodes: readonly RedisNode[];
  #turn: number;
  /** The node of the cluster that has the keys, while it is known. */
  #owner: RedisNode | null = null;
  #dialled: RedisNode | null = null;

  constructor(settings: RedisSettings) {
    this.#settings = settings;
    this.#nodes = settings.nodes;
    // Not all gateways at the same seed.
    this.#turn = Math.floor(Math.random() * settings.nodes.length);
  }

  /** A client, not connected yet, for the server to try next. */
  dial(): Redis {
    const turned = this.#nodes.map((_, index) => this.#nodes[(this.#turn + index) % this.#nodes.length]);
    const nodes = turned.filter((node) => node !== undefined);
    this.#dialled = this.#owner ?? nodes[0] ?? null;
    if (this.#settings.mode === 'sentinel') return createClient(this.#settings, nodes);
    return createClient(this.#settings, this.#dialled === null ? [] : [this.#dialled]);
  }

  /** The server that was dialled last said that another one has the keys. */
  redirect({ host, port }: RedisNode): void {
    this.#owner = { host: host === '' ? (this.#dialled?.host ?? '') : host, port };
  }

  /** The server that was dialled last is of no use. */
  turn(): void {
    this.#owner = null;
    this.#turn = (this.#turn + 1) % this.#nodes.length;
  }

  /** Remembers the nodes of the cluster: the seeds need not live as long as it does. */
  learn(nodes: readonly RedisNode[]): void {
    const all = [...this.#settings.nodes, ...nodes].slice(0, MAX_KNOWN_NODES);
    const byAddress = new Map(all.map((node) => [`${node.host} ${node.port}`, node]));
    this.#nodes = [...byAddress.values()];
    this.#turn %= this.#nodes.length;
  }

  get dialled(): RedisNode | null {
    return this.#dialled;
  }
}
