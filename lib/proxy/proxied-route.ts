import { templateOf } from '../core/config/match-rules.ts';
import type { Route } from '../core/config/model.ts';
import { compileHeaderTransform, type HeaderTransformer } from '../core/http/header-transform.ts';
import type { RouteStats } from '../core/metrics/route-stats.ts';
import {
  type ConcurrencyGate,
  type GateSettings,
  gateSettingsOf,
  OPEN_GATE,
} from '../core/policy/concurrency-gate.ts';
import { compileRewrite, type PathRewriter } from '../core/routing/path-rewrite.ts';
import type { Gated } from './gate-pass.ts';
import type { RoutePolicies } from './policies/route-policies.ts';
import type { ProxiedCluster } from './proxied-cluster.ts';

/** A route made ready for requests: all that can be decided beforehand is, and what it does not use is null. */
export class ProxiedRoute implements Gated {
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
  /** Null where there are none. */
  readonly policies: RoutePolicies | null;
  /** Lives as long as the route's id, so that a change forgets nobody who is in. */
  readonly gate: ConcurrencyGate;
  readonly gateSettings: GateSettings;

  constructor(
    id: string,
    route: Route,
    cluster: ProxiedCluster,
    stats: RouteStats,
    contentHash: number,
    policies: RoutePolicies | null,
    gate: ConcurrencyGate,
  ) {
    this.id = id;
    this.cluster = cluster;
    this.stats = stats;
    this.contentHash = contentHash;
    this.policies = policies;
    this.gate = gate;
    this.rewriter =
      route.rewrite === undefined ? null : compileRewrite(route.rewrite, templateOf(route.match));
    this.requestHeaders = compileHeaderTransform(route.requestHeaders);
    this.responseHeaders = compileHeaderTransform(route.responseHeaders);
    this.maxBodyBytes = route.limits?.maxBodyBytes ?? Number.POSITIVE_INFINITY;
    this.preserveHost = route.preserveHost ?? false;
    this.allowEncodedSlash = route.allowEncodedSlash ?? false;
    this.gateSettings = gateSettingsOf(route.limits, cluster.services);
  }

  /** Whether requests have to pass the gates: a limit is set, or some still wait that came under one. */
  get isGated(): boolean {
    const { gate, gateSettings, cluster } = this;
    return gateSettings !== OPEN_GATE || cluster.gateSettings !== OPEN_GATE || gate.waiting > 0;
  }
}
