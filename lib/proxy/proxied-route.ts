import type { Route } from '../core/config/model.ts';
import { compileHeaderTransform, type HeaderTransformer } from '../core/http/header-transform.ts';
import type { RouteStats } from '../core/metrics/route-stats.ts';
import { compileRewrite, type PathRewriter } from '../core/routing/path-rewrite.ts';
import { parsePathTemplate } from '../core/routing/path-template.ts';
import type { ProxiedCluster } from './proxied-cluster.ts';

/** A route made ready for requests: all that can be decided beforehand is, and what it does not use is null. */
export class ProxiedRoute {
  readonly id: string;
  readonly cluster: ProxiedCluster;
  readonly stats: RouteStats;
  /** What the route adds to the fingerprint of its table. */
  readonly contentHash: number;
  readonly rewriter: PathRewriter | null;
  readonly requestHeaders: HeaderTransformer | null;
  readonly responseHeaders: HeaderTransformer | null;
  /** Infinity where there is no limit. */
  readonly maxBodyBytes: number;
  readonly preserveHost: boolean;
  readonly allowEncodedSlash: boolean;

  constructor(id: string, route: Route, cluster: ProxiedCluster, stats: RouteStats, contentHash: number) {
    this.id = id;
    this.cluster = cluster;
    this.stats = stats;
    this.contentHash = contentHash;
    const template = route.match.path === undefined ? null : parsePathTemplate(route.match.path).template;
    this.rewriter = compileRewrite(route.rewrite, template);
    this.requestHeaders = compileHeaderTransform(route.requestHeaders);
    this.responseHeaders = compileHeaderTransform(route.responseHeaders);
    this.maxBodyBytes = route.limits?.maxBodyBytes ?? Number.POSITIVE_INFINITY;
    this.preserveHost = route.preserveHost ?? false;
    this.allowEncodedSlash = route.allowEncodedSlash ?? false;
  }
}
