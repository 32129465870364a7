/** All workloads in the order in which they are run; those that leave much memory behind are the last. */
import type { Workload } from '../suite/workload.ts';
import { accessLog } from './access-log.ts';
import { bodies, jsonPost } from './bodies.ts';
import { connectionPerRequest, manyConnections } from './connections.ts';
import { jwt } from './jwt.ts';
import { latency } from './latency.ts';
import { smallGet, smallGetByWrk } from './small-get.ts';
import { tls } from './tls.ts';
import { webSocket } from './websocket.ts';
import { workers } from './workers.ts';

export const WORKLOADS: readonly Workload[] = [
  smallGet,
  smallGetByWrk,
  latency,
  jsonPost,
  jwt,
  accessLog,
  workers,
  tls,
  webSocket,
  connectionPerRequest,
  manyConnections,
  ...bodies,
];
