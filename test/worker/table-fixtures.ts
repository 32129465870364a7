/** Tables, operations and receivers as the tests of the worker's configuration need them. */
import { EventEmitter, once } from 'node:events';
import type { Operation } from '../../lib/core/config/change.ts';
import { UnhealthyDestinations } from '../../lib/core/health/unhealthy-destinations.ts';
import { StatsRegistry } from '../../lib/core/metrics/route-stats.ts';
import type { ToPrimary } from '../../lib/ipc/protocol.ts';
import type { ProxiedRoute } from '../../lib/proxy/proxied-route.ts';
import { ConfigurationReceiver } from '../../lib/worker/configuration-receiver.ts';
import { RoutingTable } from '../../lib/worker/routing-table.ts';
import { WorkQueue } from '../../lib/worker/work-queue.ts';
import { routeServices } from './route-services.ts';

const services = { ...routeServices, balancing: { random: () => 0.5, nowMs: () => 0, workerOffset: 0 } };

/** A cluster with one destination for each of the ports; the destination's id is `d` and the port. */
export const putCluster = (id: string, ...ports: number[]): Operation => ({
  op: 'put',
  kind: 'cluster',
  id,
  value: {
    loadBalancing: { policy: 'roundRobin' },
    destinations: Object.fromEntries(ports.map((port) => [`d${port}`, { url: `http://127.0.0.1:${port}` }])),
  },
});

export const putRoute = (id: string, path: string, cluster: string): Operation => ({
  op: 'put',
  kind: 'route',
  id,
  value: { match: { path }, cluster },
});

export const deleteOf = (kind: 'route' | 'cluster', id: string): Operation => ({ op: 'delete', kind, id });

export function createTable(unhealthy = new UnhealthyDestinations()): RoutingTable {
  return new RoutingTable(services, new StatsRegistry(), unhealthy);
}

export function find(table: RoutingTable | undefined, path: string): ProxiedRoute | null {
  return table?.match({ method: 'GET', host: 'localhost', path, query: '', rawHeaders: [] }) ?? null;
}

/** The destinations that the next requests of a route go to, as far as they go round. */
export function destinationsOf(table: RoutingTable | undefined, path: string): string[] {
  const route = find(table, path);
  const picked = Array.from({ length: 8 }, () => route?.cluster.balancer.pick(0, null)?.id ?? 'none');
  return [...new Set(picked)].sort();
}

/** A receiver, what it answered and what it serves. With 0 ms each step of its work is a slice of its own. */
export function openReceiver(sliceMs = 1_000) {
  const events = new EventEmitter();
  const answers: ToPrimary[] = [];
  const served: { table: RoutingTable; revision: number }[] = [];
  const tables: RoutingTable[] = [];
  const receiver = new ConfigurationReceiver(
    (unhealthy) => {
      const table = createTable(unhealthy);
      tables.push(table);
      return table;
    },
    { serve: (table, { revision }) => served.push({ table, revision }) },
    (message) => {
      answers.push(message);
      events.emit('answer');
    },
    new WorkQueue(sliceMs),
  );
  const begin = (parent: string | null) => receiver.receive({ type: 'transferBegin', parent });
  const part = (...operations: Operation[]) => receiver.receive({ type: 'transferPart', operations });
  const end = (revision: number) => receiver.receive({ type: 'transferEnd', revision, id: `id-${revision}` });
  const transfer = (parent: number | null, revision: number, ...parts: Operation[][]) => {
    begin(parent === null ? null : `id-${parent}`);
    for (const operations of parts) part(...operations);
    end(revision);
  };
  const delta = (from: number, to: number, operations: Operation[]) =>
    receiver.receive({ type: 'delta', revision: to, id: `id-${to}`, parent: `id-${from}`, operations });
  const setHealth = (cluster: string, destination: string, healthy: boolean) =>
    receiver.receive({ type: 'health', destinations: [{ cluster, destination, healthy }] });
  /** Resolves once all that was received has taken effect. */
  const done = () => new Promise<void>((resolve) => receiver.runInOrder(resolve));
  const answered = () => once(events, 'answer');
  const serving = () => served.at(-1)?.table;
  const destroy = () => {
    for (const table of tables) table.destroy();
  };
  return {
    receiver,
    answers,
    served,
    tables,
    begin,
    part,
    end,
    transfer,
    delta,
    setHealth,
    done,
    answered,
    serving,
    destroy,
  };
}
