/** Which requests a route takes and how it ranks, in a form that routes can be compared by. */
import { parseHostPattern } from '../routing/host-pattern.ts';
import { parsePathTemplate, type TemplateSegment } from '../routing/path-template.ts';
import type { Route, RouteMatch } from './model.ts';
import { conditionsOf, type RouteConditions } from './route-conditions.ts';

export interface RouteScope {
  readonly id: string;
  readonly order: number;
  /** Keys of hosts without repetition: `api.example.com`, `*.example.com`, or `*` for any. */
  readonly hosts: readonly string[];
  readonly segments: readonly TemplateSegment[];
  readonly conditions: RouteConditions;
  readonly allowEncodedSlash: boolean;
}

const ANY_HOST = '*';
const ANY_HOSTS: readonly string[] = [ANY_HOST];
/** A route without a path ranks as one that has a rest alone. */
const ANY_PATH: readonly TemplateSegment[] = [{ kind: 'rest', name: 'rest' }];

/** Returns null where a host or the path does not parse. */
export function scopeOf(id: string, route: Route): RouteScope | null {
  const hosts = hostsOf(route.match);
  const segments =
    route.match.path === undefined ? ANY_PATH : parsePathTemplate(route.match.path).template?.segments;
  if (hosts === null || segments === undefined) {
    return null;
  }
  return {
    id,
    order: route.order ?? 0,
    hosts,
    segments,
    conditions: conditionsOf(route.match),
    allowEncodedSlash: route.allowEncodedSlash ?? false,
  };
}

function hostsOf(match: RouteMatch): readonly string[] | null {
  if (match.hosts === undefined) {
    return ANY_HOSTS;
  }
  const keys = new Set<string>();
  for (const text of match.hosts) {
    const { pattern } = parseHostPattern(text);
    if (pattern === null) {
      return null;
    }
    keys.add(pattern.kind === 'exact' ? pattern.name : `*.${pattern.name}`);
  }
  return [...keys];
}

/** The keys of all hosts that take what `host` takes: itself first, then its wildcards, then any. */
export function listCoveringHosts(host: string): readonly string[] {
  if (host === ANY_HOST) {
    return [ANY_HOST];
  }
  const hosts = [host];
  const name = host.startsWith('*.') ? host.slice(2) : host;
  let dot = name.indexOf('.');
  while (dot !== -1) {
    hosts.push(`*${name.slice(dot)}`);
    dot = name.indexOf('.', dot + 1);
  }
  hosts.push(ANY_HOST);
  return hosts;
}

/** Whether `general` takes all that `host` takes, both keys of hosts. */
export function coversHost(general: string, host: string): boolean {
  return general.startsWith('*') ? host.endsWith(general.slice(1)) : host === general;
}

/** Negative where `left` wins over `right` on the same host and the same path; 0 only for the same id. */
export function compareRank(left: RouteScope, right: RouteScope): number {
  if (left.order !== right.order) {
    return left.order - right.order;
  }
  if (left.conditions.count !== right.conditions.count) {
    return right.conditions.count - left.conditions.count;
  }
  return left.id < right.id ? -1 : Number(left.id > right.id);
}

/** Whether nothing but the id decides between two routes on the same host and the same path. */
export function isTwin(left: RouteScope, right: RouteScope): boolean {
  return left.order === right.order && left.conditions.key === right.conditions.key;
}
