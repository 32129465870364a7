import { Materials } from '../../lib/auth/materials.ts';
import { AddressSet } from '../../lib/core/policy/address-ranges.ts';
import { createGuardedLookup } from '../../lib/net/guarded-lookup.ts';
import type { RouteServices } from '../../lib/worker/routing-table.ts';

/** What a table needs of its worker: a worker that is alone, with clocks and chance of its own. */
export const routeServices: RouteServices = {
  balancing: { random: Math.random, nowMs: () => performance.now(), workerOffset: 0 },
  workers: 1,
  slot: 0,
  materials: new Materials(() => {}),
  lookup: createGuardedLookup(new AddressSet([])),
  allowedAddresses: new AddressSet([]),
  compilePolicies: () => null,
};
