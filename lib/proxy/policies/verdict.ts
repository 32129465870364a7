/** What is said of a request before it is forwarded. */
import type { ErrorDefinition } from '../../core/errors.ts';

/** An answer of the gateway that is no error: a redirect, or the answer to a pre-flight. Has no body. */
export interface DirectAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Flat. */
  readonly headers: readonly string[];
}

/** Why a policy refuses a request. `detail` is safe to show. */
export interface PolicyRefusal {
  readonly kind: 'refusal';
  readonly error: ErrorDefinition;
  readonly detail: string | null;
  /** Flat: such as WWW-Authenticate and Retry-After. */
  readonly headers: readonly string[];
}

/** Null lets the request pass. */
export type Verdict = DirectAnswer | PolicyRefusal | null;

export function refuse(
  error: ErrorDefinition,
  detail: string | null = null,
  headers: readonly string[] = [],
): PolicyRefusal {
  return { kind: 'refusal', error, detail, headers };
}
