/** What the policies of a route make of a described request, one after the other. */
import { ERRORS } from '../core/errors.ts';
import type { ExplainedPolicy } from '../core/explain/explanation.ts';
import type { Passage, Policy } from '../proxy/policies/passage.ts';
import { refuse, type Verdict } from '../proxy/policies/verdict.ts';
import type { ExplainedRequest } from './explained-request.ts';

/** What was found: all policies, and the first verdict that does not let the request pass. */
interface ExplainedPolicies {
  readonly policies: readonly ExplainedPolicy[];
  readonly verdict: Verdict;
}

export async function explainRoutePolicies(explained: ExplainedRequest): Promise<ExplainedPolicies> {
  const { route, passage, preflight, requiredCertificate } = explained;
  if (requiredCertificate !== null && !explained.peer.secure)
    return { policies: [explainCertificate(requiredCertificate)], verdict: refuse(ERRORS.misdirected) };
  if (preflight !== null) return { policies: explainPreflight(explained), verdict: preflight };
  const policies = requiredCertificate === null ? [] : [explainCertificate(requiredCertificate)];
  let final: Verdict = null;
  for (const policy of route.policies?.list ?? []) {
    // Those behind a refusal are not asked, as they would not be asked for a request.
    const verdict: Verdict = final === null ? await preview(policy, passage) : null;
    policies.push({ policy: policy.name, ...describe(policy, verdict) });
    final ??= verdict;
  }
  return { policies, verdict: final };
}

/** Only a connection can show a certificate, so that one over TLS is taken for one that has. */
function explainCertificate(id: string): ExplainedPolicy {
  const effect = `needs a connection with a client certificate that is valid for ${id}; any other gets 421`;
  return { policy: 'clientCertificate', effect, settings: { mode: 'required', certificate: id } };
}

/** Not `preview?.() ?? decide()`: a preview that lets the request pass is null as well. */
function preview(policy: Policy, passage: Passage): Verdict | Promise<Verdict> {
  return policy.preview === undefined ? policy.decide(passage) : policy.preview(passage);
}

/** A pre-flight is answered where it is told from where scripts may come, unless its address is refused before. */
function explainPreflight({ route, preflight }: ExplainedRequest): ExplainedPolicy[] {
  const decisive = preflight?.kind === 'answer' ? 'cors' : 'clientAddresses';
  return (route.policies?.list ?? []).map((policy) => ({
    policy: policy.name,
    ...describe(policy, policy.name === decisive ? preflight : null),
  }));
}

function describe(policy: Policy, verdict: Verdict): Omit<ExplainedPolicy, 'policy'> {
  const { effect, settings } = policy.describe();
  if (verdict === null) return { effect, settings };
  if (verdict.kind === 'answer')
    return { effect: `answered by the gateway with ${verdict.status}: ${effect}`, settings };
  return { effect: `refused with ${verdict.error.status} ${verdict.error.code}: ${effect}`, settings };
}
