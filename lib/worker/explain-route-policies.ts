/** What the policies of a route make of a described request, one after the other. */
import type { ExplainedPolicy } from '../core/explain/explanation.ts';
import type { Policy } from '../proxy/policies/passage.ts';
import type { Verdict } from '../proxy/policies/verdict.ts';
import type { ExplainedRequest } from './explained-request.ts';

/** What was found: all policies, and the first verdict that does not let the request pass. */
interface ExplainedPolicies {
  readonly policies: readonly ExplainedPolicy[];
  readonly verdict: Verdict;
}

export async function explainRoutePolicies({ route, passage }: ExplainedRequest): Promise<ExplainedPolicies> {
  const policies: ExplainedPolicy[] = [];
  let final: Verdict = null;
  for (const policy of route.policies?.list ?? []) {
    // Those behind a refusal are not asked, as they would not be asked for a request.
    const verdict: Verdict =
      final === null ? await (policy.preview?.(passage) ?? policy.decide(passage)) : null;
    policies.push({ policy: policy.name, ...describe(policy, verdict) });
    final ??= verdict;
  }
  return { policies, verdict: final };
}

function describe(policy: Policy, verdict: Verdict): Omit<ExplainedPolicy, 'policy'> {
  const { effect, settings } = policy.describe();
  if (verdict === null) return { effect, settings };
  if (verdict.kind === 'answer')
    return { effect: `answered by the gateway with ${verdict.status}: ${effect}`, settings };
  return { effect: `refused with ${verdict.error.status} ${verdict.error.code}: ${effect}`, settings };
}
