/** What one worker knows about one destination of a cluster. The rest of the worker may extend it. */
export class DestinationState {
  readonly id: string;
  /** Share of the load, an integer of at least 1. */
  weight: number;
  /** What the console last said; a destination nobody has spoken about is healthy. */
  healthy = true;
  /** Whether the balancer offers it now. The balancer sets it, nobody else. */
  usable = false;
  /** Requests in flight from this worker. */
  active = 0;
  /** The peak-sensitive moving average of latency as of `costAtMs`; 0 while nothing was measured. */
  costMs = 0;
  costAtMs = 0;

  constructor(id: string, weight: number) {
    this.id = id;
    this.weight = weight;
  }
}
