import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { StatsRegistry } from '../core/metrics/route-stats.ts';
import type { WorkerSample } from '../ipc/protocol.ts';
import type { Listener } from '../proxy/listener.ts';

const LAG_RESOLUTION_MS = 10;

/** Puts together what the primary asks a worker for. */
export class WorkerMetrics {
  readonly #stats: StatsRegistry;
  readonly #listener: Listener;
  readonly #delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });

  #lastResidentBytes = 0;

  constructor(stats: StatsRegistry, listener: Listener) {
    this.#stats = stats;
    this.#listener = listener;
    this.#delay.enable();
  }

  takeSample(revision: number): WorkerSample {
    const usage = process.cpuUsage();
    const sample: WorkerSample = {
      routes: this.#stats.takeSamples(),
      connections: this.#listener.connectionCount,
      webSockets: this.#listener.webSocketCount,
      handshakes: this.#listener.takeHandshakes(),
      revision,
      eventLoopLagSeconds: {
        mean: this.#lag(this.#delay.mean),
        p99: this.#lag(this.#delay.percentile(99)),
        max: this.#lag(this.#delay.max),
      },
      residentBytes: this.#residentBytes(),
      cpuSeconds: (usage.user + usage.system) / 1e6,
    };
    this.#delay.reset();
    return sample;
  }

  /** Reading it takes a file descriptor, and there may be none left: then it is the value before. */
  #residentBytes(): number {
    try {
      this.#lastResidentBytes = process.memoryUsage.rss();
    } catch {
      // Told at the next sample.
    }
    return this.#lastResidentBytes;
  }

  /** The histogram measures the timer's interval, in nanoseconds; the lag is what goes beyond it. */
  #lag(nanoseconds: number): number {
    return Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - LAG_RESOLUTION_MS / 1_000) : 0;
  }
}
