/** The requests in flight to all usable destinations of a cluster from this worker, summed as they come and go. */
export class ActiveLoad {
  active = 0;
}
