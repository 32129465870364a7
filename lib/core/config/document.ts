import type { Configuration, ConfigurationDocument } from './model.ts';

export const EMPTY_CONFIGURATION: Configuration = { clusters: new Map(), routes: new Map() };

/**
 * The document of a configuration, ready to be written as JSON or YAML: what validation takes back. Ids
 * are in code-unit order, but for those that look like array indices, which JavaScript puts first.
 */
export function documentOf(configuration: Configuration): ConfigurationDocument {
  return { clusters: sortById(configuration.clusters), routes: sortById(configuration.routes) };
}

function sortById<T>(entries: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...entries].sort(([left], [right]) => (left < right ? -1 : 1)));
}
