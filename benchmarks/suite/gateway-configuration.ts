/** The gateway in front of the origin. */
import type { Cluster, ConfigurationDocument, Route } from '../../lib/core/config/model.ts';
import type { Origin } from './origin.ts';

export const ROUTE_COUNT = 1_000;
/** One for each of the routes. */
export const ROUTE_PATHS: readonly string[] = Array.from(
  { length: ROUTE_COUNT },
  (_, index) => `/r${index}/any`,
);

export function clusterOf({ ports }: Origin): Cluster {
  const destinations = ports.map((port, index) => [`d${index}`, { url: `http://127.0.0.1:${port}` }]);
  return {
    loadBalancing: { policy: 'powerOfTwoChoices' },
    destinations: Object.fromEntries(destinations),
  };
}

/** 1,000 routes of the same cluster, and three of what the origin has besides. */
export function manyRoutesTo(origin: Origin): ConfigurationDocument {
  const paths = [
    ...Array.from({ length: ROUTE_COUNT }, (_, index) => `/r${index}/{**rest}`),
    '/bytes/{**rest}',
    '/post',
    '/socket',
  ];
  const routes = paths.map((path, index): [string, Route] => [
    `r${index}`,
    { match: { path }, cluster: 'origin' },
  ]);
  return { clusters: { origin: clusterOf(origin) }, routes: Object.fromEntries(routes) };
}

/** One route for everything. */
export function oneRouteTo(origin: Origin): ConfigurationDocument {
  return {
    clusters: { origin: clusterOf(origin) },
    routes: { all: { match: { path: '/{**rest}' }, cluster: 'origin' } },
  };
}
