/**
 * What the route cache costs: a match, a change, and memory, by the number of routes. Times are CPU time.
 * Run: node --expose-gc benchmarks/route-match.ts (without the flag the memory column stays empty).
 */
import type { RouteMatch } from '../lib/core/config/model.ts';
import type { RequestFacts } from '../lib/core/routing/request-facts.ts';
import { RouteCache } from '../lib/core/routing/route-cache.ts';

const ROUTE_COUNTS = [10, 100, 1_000, 100_000];
/** Requests that come in turn, each for a route of its own: few stay in the processor's caches, many do not. */
const FEW_REQUESTS = 256;
const MANY_REQUESTS = 4_096;
const MATCHES_PER_ROUND = 400_000;
const CHANGES_PER_ROUND = 20_000;
const ROUND_COUNT = 5;
/** With fewer routes, what else moves on the heap outweighs them. */
const MINIMUM_ROUTES_TO_WEIGH = 1_000;

/** A way in which people lay out their routes. */
interface Shape {
  readonly name: string;
  readonly match: (index: number) => RouteMatch;
  readonly order: (index: number) => number;
  readonly facts: (index: number) => RequestFacts;
}

const pathOf = (index: number, id: string) => `/api/v1/service-${index}/items/${id}/details`;
const request = (host: string, path: string): RequestFacts => ({
  host,
  path,
  query: 'page=2',
  method: 'GET',
  rawHeaders: ['Host', host, 'Accept', '*/*'],
});

const SHAPES: readonly Shape[] = [
  {
    name: 'one host, own prefix each',
    match: (index) => ({ hosts: ['api.example.com'], path: pathOf(index, '{id}') }),
    order: () => 0,
    facts: (index) => request('api.example.com', pathOf(index, 'a17')),
  },
  {
    name: 'own host each',
    match: (index) => ({ hosts: [`tenant-${index}.example.com`], path: '/api/{**rest}' }),
    order: () => 0,
    facts: (index) => request(`tenant-${index}.example.com`, '/api/v1/items/a17'),
  },
  {
    name: 'own order each',
    match: (index) => ({ hosts: ['api.example.com'], path: pathOf(index, '{id}') }),
    order: (index) => index,
    facts: (index) => request('api.example.com', pathOf(index, 'a17')),
  },
];

/** Strings as they come out of a parser: in one piece, which concatenated ones are not. */
function asParsed<V>(value: V): V {
  return JSON.parse(JSON.stringify(value)) as V;
}

/** Spreads indices over the table, always in the same way. */
function scatter(index: number, count: number): number {
  return (Math.imul(index + 1, 2_654_435_761) >>> 0) % count;
}

/** Nanoseconds of CPU time for one of the `count` operations that `work` does: the best of some rounds. */
function measureNs(count: number, work: () => void): number {
  work();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUND_COUNT; round += 1) {
    const before = process.threadCpuUsage();
    work();
    const used = process.threadCpuUsage(before);
    best = Math.min(best, ((used.user + used.system) * 1_000) / count);
  }
  return best;
}

function usedHeapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function measureMatchNs(
  cache: RouteCache<number>,
  shape: Shape,
  routeCount: number,
  requestCount: number,
): number {
  const requests = Array.from({ length: requestCount }, (_, index) =>
    asParsed(shape.facts(scatter(index, routeCount))),
  );
  return measureNs(MATCHES_PER_ROUND, () => {
    for (let count = 0; count < MATCHES_PER_ROUND; count += 1) {
      if (cache.match(requests[count % requestCount] as RequestFacts) === null) {
        throw new Error('a request of the benchmark found no route');
      }
    }
  });
}

/** Microseconds for one delete or one put, the mean of both over many routes replaced. */
function measureChangeUs(cache: RouteCache<number>, shape: Shape, routeCount: number): number {
  const indices = Array.from({ length: CHANGES_PER_ROUND }, (_, index) => scatter(index, routeCount));
  const matches = indices.map((index) => asParsed(shape.match(index)));
  const changeNs = measureNs(CHANGES_PER_ROUND * 2, () => {
    for (const [position, index] of indices.entries()) {
      cache.delete(`route-${index}`);
      cache.put(`route-${index}`, matches[position] as RouteMatch, shape.order(index), index);
    }
  });
  return changeNs / 1_000;
}

function measureRow(shape: Shape, routeCount: number): Record<string, string | number> {
  const matches = Array.from({ length: routeCount }, (_, index) => asParsed(shape.match(index)));
  const ids = matches.map((_, index) => `route-${index}`);
  const heapBefore = usedHeapBytes();
  const cache = new RouteCache<number>();
  const start = process.hrtime.bigint();
  for (const [index, match] of matches.entries()) {
    cache.put(ids[index] as string, match, shape.order(index), index);
  }
  const loadMs = Number(process.hrtime.bigint() - start) / 1e6;
  const bytes = Math.round((usedHeapBytes() - heapBefore) / routeCount);
  return {
    shape: shape.name,
    routes: routeCount,
    [`ns/match (${FEW_REQUESTS} in use)`]: Math.round(measureMatchNs(cache, shape, routeCount, FEW_REQUESTS)),
    [`ns/match (${MANY_REQUESTS} in use)`]: Math.round(
      measureMatchNs(cache, shape, routeCount, MANY_REQUESTS),
    ),
    'µs/put or delete': Number(measureChangeUs(cache, shape, routeCount).toFixed(2)),
    'load ms': Math.round(loadMs),
    'bytes/route': globalThis.gc === undefined || routeCount < MINIMUM_ROUTES_TO_WEIGH ? '' : bytes,
  };
}

console.table(SHAPES.flatMap((shape) => ROUTE_COUNTS.map((routeCount) => measureRow(shape, routeCount))));
