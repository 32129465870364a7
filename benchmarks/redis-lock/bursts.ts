/** Bursts of load, with what they cost the gateway and Redis. */
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import type { RedisDaemon } from '../../test/helpers/redis-daemon.ts';
import type { Contender } from '../support/contender.ts';
import { readUsage } from './redis-usage.ts';

const CONNECTIONS = 64;
const PAUSE_MS = 500;
/** Looking at it is a command as well. */
const QUIET_COMMANDS = 1;

/** All but the failures of those that were answered with 2xx, costs for each of them. */
export interface Burst {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
  /** Of all processes of the gateway. */
  readonly cpuMicroseconds: number;
  readonly redisCpuMicroseconds: number;
  readonly redisCommands: number;
}

export class Bursts {
  readonly #redis: RedisDaemon;
  readonly #seconds: number;

  constructor(redis: RedisDaemon, seconds: number) {
    this.#redis = redis;
    this.#seconds = seconds;
  }

  /** Sends requests to the first of a number of clusters, evenly, and waits until all is quiet again. */
  async run(contender: Contender, clusters: number): Promise<Burst> {
    const cpuBefore = contender.cpuSeconds();
    const before = await readUsage(this.#redis);
    const result = await this.#load(contender.port, clusters);
    // What goes on in Redis when the answers are out belongs to them.
    await this.#untilQuiet();
    const after = await readUsage(this.#redis);
    const answered = result['2xx'];
    return {
      requestsPerSecond: answered / result.duration,
      p50Ms: result.latency.p50,
      p99Ms: result.latency.p99,
      failed: result.errors + result.timeouts + result.non2xx,
      cpuMicroseconds: ((contender.cpuSeconds() - cpuBefore) * 1e6) / answered,
      redisCpuMicroseconds: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / answered,
      redisCommands: (after.commands - before.commands) / answered,
    };
  }

  /** Each connection goes round the clusters, and each begins at another one. */
  #load(port: number, clusters: number): Promise<autocannon.Result> {
    const requests = Array.from({ length: clusters }, (_, index) => ({ path: `/c${index}/` }));
    let connection = 0;
    return autocannon({
      url: `http://127.0.0.1:${port}`,
      connections: CONNECTIONS,
      duration: this.#seconds,
      setupClient: (client) => {
        const first = Math.floor((connection * clusters) / CONNECTIONS);
        client.setRequests([...requests.slice(first), ...requests.slice(0, first)]);
        connection += 1;
      },
    });
  }

  /** Requests are counted down after their answers: a pause in which nobody asked Redis for anything. */
  async #untilQuiet(): Promise<void> {
    let commands: number;
    let before: number;
    do {
      before = (await readUsage(this.#redis)).commands;
      await delay(PAUSE_MS);
      ({ commands } = await readUsage(this.#redis));
    } while (commands - before > QUIET_COMMANDS);
  }
}
