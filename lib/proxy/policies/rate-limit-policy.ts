import type { RateLimit } from '../../core/config/model.ts';
import { ERRORS } from '../../core/errors.ts';
import type { LimitBucket } from '../../core/policy/limit-bucket.ts';
import { type BucketRule, TokenBucket } from '../../core/policy/token-bucket.ts';
import type { Passage, Policy } from './passage.ts';
import { policyItem, secondsUntilRoom, stateItem } from './rate-limit-fields.ts';
import { RateLimitKey } from './rate-limit-key.ts';
import type { RateLimiters } from './rate-limiters.ts';
import { refuse, type Verdict } from './verdict.ts';

/** One limit, made ready. */
interface CompiledLimit {
  readonly name: string;
  readonly key: RateLimitKey;
  readonly rule: BucketRule;
  readonly settings: RateLimit;
}

/**
 * Lets a request pass where all of its limits have room, and charges all of them or none. It only looks into the
 * table of its own worker: what other workers let through shows in the share of the limit that this one has.
 */
export class RateLimitPolicy implements Policy {
  readonly name = 'rateLimits';
  /** Whether its limits go by who sends a request. */
  readonly needsIdentity: boolean;
  readonly #limits: readonly CompiledLimit[];
  readonly #limiters: RateLimiters;
  /** The policy that was charged before authentication, and gets it back where this one refuses. */
  readonly #earlier: RateLimitPolicy | null;
  readonly #policyField: string;
  /** The buckets of the request at hand; filled anew for each. */
  readonly #buckets: LimitBucket[] = [];

  private constructor(
    limits: readonly CompiledLimit[],
    limiters: RateLimiters,
    needsIdentity: boolean,
    earlier: RateLimitPolicy | null,
  ) {
    this.#limits = limits;
    this.#limiters = limiters;
    this.needsIdentity = needsIdentity;
    this.#earlier = earlier;
    this.#policyField = limits
      .map(({ name, settings }) => policyItem(name, settings.requests, settings.perSec))
      .join(', ');
  }

  /**
   * The policies for the limits of a route: one for those that need no identity, so that they protect
   * authentication, and one for the others, which comes after it. At least one, at most two.
   * @param limits not empty
   */
  static compile(routeId: string, limits: readonly RateLimit[], limiters: RateLimiters): RateLimitPolicy[] {
    const compiled = limits.map((limit, index) => compileLimit(routeId, limit, index));
    const policies: RateLimitPolicy[] = [];
    for (const needsIdentity of [false, true]) {
      const own = compiled.filter(({ key }) => key.needsIdentity === needsIdentity);
      if (own.length > 0)
        policies.push(new RateLimitPolicy(own, limiters, needsIdentity, policies[0] ?? null));
    }
    return policies;
  }

  decide(passage: Passage): Verdict {
    const { table } = this.#limiters;
    const hasRoom = this.#findBuckets(passage);
    for (const bucket of this.#buckets) {
      if (hasRoom) bucket.take();
      table.countRequest(bucket);
    }
    passage.clientHeaders.push('ratelimit-policy', this.#policyField, 'ratelimit', this.#stateField());
    if (hasRoom) return null;
    if (this.#earlier !== null) this.#earlier.#giveBack(passage);
    return this.#refusal(this.#buckets);
  }

  preview(passage: Passage): Verdict {
    const { table } = this.#limiters;
    const nowMs = this.#limiters.nowMs();
    const buckets = this.#limits.map(
      ({ key, rule }) =>
        table.peek(key.of(passage), nowMs) ?? new TokenBucket(rule, table.defaultShare, nowMs),
    );
    return buckets.every(({ hasRoom }) => hasRoom) ? null : this.#refusal(buckets);
  }

  describe(): { readonly effect: string; readonly settings: unknown } {
    const texts = this.#limits.map(
      ({ key, settings }) =>
        `${settings.requests} requests in ${settings.perSec} s, counted by ${key.source}`,
    );
    return { effect: `at most ${texts.join('; ')}`, settings: this.#limits.map(({ settings }) => settings) };
  }

  /** @returns whether all have room */
  #findBuckets(passage: Passage): boolean {
    const { table } = this.#limiters;
    const nowMs = this.#limiters.nowMs();
    let hasRoom = true;
    for (let index = 0; index < this.#limits.length; index += 1) {
      const { key, rule } = this.#limits[index]!;
      const bucket = table.find(key.of(passage), rule, nowMs);
      this.#buckets[index] = bucket;
      hasRoom &&= bucket.hasRoom;
    }
    return hasRoom;
  }

  #stateField(): string {
    let field = '';
    for (let index = 0; index < this.#limits.length; index += 1) {
      const item = stateItem(this.#limits[index]!.name, this.#buckets[index]!);
      field = index === 0 ? item : `${field}, ${item}`;
    }
    return field;
  }

  #giveBack(passage: Passage): void {
    const nowMs = this.#limiters.nowMs();
    for (const { key } of this.#limits) this.#limiters.table.peek(key.of(passage), nowMs)?.add(1);
  }

  #refusal(buckets: readonly TokenBucket[]): Verdict {
    let waitSec = 1;
    for (const bucket of buckets) if (!bucket.hasRoom) waitSec = Math.max(waitSec, secondsUntilRoom(bucket));
    return refuse(ERRORS.rateLimited, null, ['retry-after', String(waitSec)]);
  }
}

function compileLimit(routeId: string, settings: RateLimit, index: number): CompiledLimit {
  const { name = String(index + 1), requests, perSec, burst = requests, key } = settings;
  return {
    name,
    key: new RateLimitKey(key, `${routeId} ${name}`),
    rule: { burst, tokensPerMs: requests / (perSec * 1_000) },
    settings,
  };
}
