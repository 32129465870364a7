import type { WorkerSettings } from '../../lib/ipc/protocol.ts';

/** What a worker needs to start, and says nothing by itself. */
export const QUIET_SETTINGS: Omit<WorkerSettings, 'workerId' | 'slot'> = {
  instance: 'test',
  workers: 1,
  trustedProxies: [],
  limits: {
    headersTimeoutMs: 15_000,
    keepAliveTimeoutMs: 65_000,
    maxHeaderBytes: 16_384,
    maxHeaderCount: 256,
    maxTargetBytes: 8_192,
    maxRequestsPerConnection: 0,
    minBytesPerSecond: 0,
    maxEventLoopLagMs: 0,
  },
  allowedAddresses: [],
  accessLogRate: 0,
  logLevel: 'silent',
  prettyLog: false,
};
