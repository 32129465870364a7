/** What balancing needs from the outside world. */
export interface BalancerEnvironment {
  /** A random number from 0 up to but not including 1. */
  random(): number;
  /** A clock that never jumps, in milliseconds. */
  nowMs(): number;
  /**
   * Where this worker begins its rotations, an integer of at least 0. Workers that start together
   * get numbers that follow each other, so that their first requests go to different destinations.
   */
  readonly workerOffset: number;
}
