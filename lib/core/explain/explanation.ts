/** What `explain` is asked and what it answers; the answer is plain JSON. */

export interface ExplainRequest {
  readonly method: string;
  /** Absolute (`http://api.example.com/orders?x=1`), or a path where `headers` name a Host. */
  readonly url: string;
  /** Name and value pairs, in order; names may repeat. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The address of the client; 127.0.0.1 where it is absent. */
  readonly clientAddress?: string;
}

interface ExplainedCandidate {
  readonly route: string;
  readonly order: number;
  readonly won: boolean;
  /** Why it won or lost, for people. */
  readonly reason: string;
}

export interface ExplainedPolicy {
  /** retry, timeouts, limits, loadBalancing, … */
  readonly policy: string;
  /** What it would do to this request, for people; `settings` are the values in force, defaults filled in. */
  readonly effect: string;
  readonly settings: unknown;
}

export interface Explanation {
  /** The revision that the worker which answered serves. */
  readonly revision: number;
  readonly worker: number;
  /** What would be matched: absent where the request is refused before that. */
  readonly request?: {
    readonly method: string;
    readonly host: string;
    readonly path: string;
    readonly query: string;
  };
  /** Where the gateway itself would answer: why, as its error table says. */
  readonly refused?: { readonly code: string; readonly status: number; readonly reason: string };
  /** All routes that match by host and path, from the first considered to the last. */
  readonly candidates: readonly ExplainedCandidate[];
  /** True where there were more candidates than are listed. */
  readonly candidatesCut: boolean;
  readonly route?: string;
  readonly cluster?: string;
  readonly policies: readonly ExplainedPolicy[];
  /** What would be sent to the destination. */
  readonly upstream?: {
    readonly method: string;
    readonly target: string;
    readonly headers: readonly (readonly [name: string, value: string])[];
  };
  readonly destinations: readonly {
    readonly destination: string;
    readonly url: string;
    readonly weight: number;
    readonly healthy: boolean;
    readonly usable: boolean;
    readonly active: number;
  }[];
  readonly pick?: {
    readonly destination: string;
    readonly url: string;
    /** False where the policy draws at random: the next request may go elsewhere. */
    readonly certain: boolean;
    readonly reason: string;
  };
}
