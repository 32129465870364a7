/** What the management API asks of the primary. The API speaks HTTP; what is decided is decided behind this. */
import type { Head } from '../core/config/change.ts';
import type { EntryDifference } from '../core/config/describe-difference.ts';
import type { Configuration, Kind } from '../core/config/model.ts';
import type { Problem } from '../core/config/problem.ts';
import type { ErrorDefinition } from '../core/errors.ts';
import type { ExplainRequest, Explanation } from '../core/explain/explanation.ts';
import type { HealthReport } from '../core/health/health-report.ts';

/** A refusal with a place in the error table: the API answers it as a problem document. */
export class ControlError extends Error {
  readonly definition: ErrorDefinition;
  /** Further members of the problem document, such as `problems` or `currentRevision`. */
  readonly details: Readonly<Record<string, unknown>>;
  constructor(definition: ErrorDefinition, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'ControlError';
    this.definition = definition;
    this.details = details;
  }
}

/** Until when a write waits: not at all, for the workers of this instance, for those of all. */
export type WaitFor = 'none' | 'instance' | 'all';

export interface EntryRequirement {
  readonly kind: Kind;
  readonly id: string;
  readonly present: boolean;
  readonly otherwise: ErrorDefinition;
}

export interface ChangeOrder {
  /**
   * Single operations, a whole document that replaces what is there, or all entries of one kind that replace
   * those that are there. None of it is validated yet.
   */
  readonly content:
    | { readonly operations: readonly unknown[] }
    | { readonly document: unknown }
    | { readonly kind: Kind; readonly entries: unknown };
  /** An entry that has to be there, or must not be, when the change is made; else it is refused as said. */
  readonly requires?: EntryRequirement;
  /** The change is only made on this revision; absent: on whatever is there. */
  readonly expectedRevision?: number;
  readonly actor: string;
  readonly message: string;
  readonly dryRun: boolean;
  readonly wait: WaitFor;
  readonly timeoutMs: number;
}

export interface WorkerReceipt {
  readonly instance: string;
  readonly worker: number;
  /** What the worker serves. */
  readonly revision: number;
  /** True where the change is part of what the worker serves. */
  readonly ok: boolean;
  /** Why not. */
  readonly problem?: string;
}

export interface ChangeReceipt {
  /** Of the new head; with `dryRun`, or where the change changes nothing, of the one that is there. */
  readonly revision: number;
  readonly id: string;
  /** False where there was nothing to change, and with `dryRun`. */
  readonly changed: boolean;
  /** How many entries differ; of a large change not all of them are described. */
  readonly operations: number;
  readonly difference: readonly EntryDifference[];
  readonly warnings: readonly Problem[];
  /** Of the workers that were waited for; empty with `wait: none`. */
  readonly applied: readonly WorkerReceipt[];
  /** True where every worker that was waited for serves the change. */
  readonly complete: boolean;
}

export interface RollbackOrder extends Omit<ChangeOrder, 'content' | 'requires'> {
  /** The configuration becomes what it was at this revision, as a new revision. */
  readonly revision: number;
}

export interface HistoryEntry extends Head {
  readonly actor: string;
  readonly message: string;
  /** How many entries were changed; of many not all are described. */
  readonly operations: number;
  readonly difference: readonly EntryDifference[];
}

export interface WorkerStatus {
  readonly worker: number;
  readonly slot: number;
  readonly pid: number;
  readonly state: string;
  readonly revision: number | null;
  readonly id: string | null;
  /** Of the table that the worker serves: equal ones mean equal content. */
  readonly fingerprint: string | null;
}

/** A key, secret or certificate that cannot be got, or not anew. */
export interface MaterialProblem {
  /** Where it comes from, such as `file:/etc/tls/key.pem`. */
  readonly name: string;
  readonly problem: string;
  readonly since: string;
}

/** How one instance is: of this one in `status`, of all in `instances`. */
export interface InstanceStatus {
  readonly instance: string;
  readonly version: string;
  readonly startedAt: string;
  /** When this was written. */
  readonly at: string;
  readonly listen: string;
  /** Absent where TLS is spoken on no port. */
  readonly listenTls?: string;
  readonly admin: string;
  readonly ready: boolean;
  readonly requestsPerSecond: number;
  readonly store: {
    readonly kind: string;
    readonly source: string;
    readonly writable: boolean;
    readonly reachable: boolean;
    readonly problem: string | null;
    readonly since: string;
  };
  readonly configuration: {
    readonly revision: number;
    readonly id: string;
    readonly at: string;
    readonly routes: number;
    readonly clusters: number;
    readonly fingerprint: string;
    /** True where every worker serves this revision. */
    readonly applied: boolean;
    /** Why this is not what the store holds, or may not be; null where it is. */
    readonly degraded: string | null;
    /** The newest configuration of the store where it is refused. */
    readonly refused: {
      readonly revision: number | null;
      readonly at: string;
      readonly problems: readonly Problem[];
      readonly problemCount: number;
    } | null;
  };
  /** Keys, secrets and certificates with a problem, up to a hundred; names only. */
  readonly materials: readonly MaterialProblem[];
  readonly workers: readonly WorkerStatus[];
}

export interface FleetMember extends InstanceStatus {
  /** True where it does not serve the newest revision that any instance holds. */
  readonly lags: boolean;
}

/** What `events` streams. `type` is the name of the server-sent event, the rest its data. */
export type ControlEvent =
  /** A change was taken by this instance and goes to its workers. */
  | {
      readonly type: 'change';
      readonly revision: number;
      readonly id: string;
      readonly at: string;
      readonly operations: number;
    }
  /** A worker serves a revision. */
  | {
      readonly type: 'applied';
      readonly instance: string;
      readonly worker: number;
      readonly revision: number;
      readonly id: string;
    }
  | { readonly type: 'refused'; readonly revision: number | null; readonly problems: readonly Problem[] }
  | {
      readonly type: 'worker';
      readonly instance: string;
      readonly worker: number;
      readonly state: string;
      readonly reason?: string;
    }
  | { readonly type: 'store'; readonly reachable: boolean; readonly problem: string | null }
  /** Another instance said how it is. */
  | {
      readonly type: 'instance';
      readonly instance: string;
      readonly revision: number;
      readonly id: string;
      readonly applied: boolean;
    };

export interface ControlPlane {
  /**
   * What this instance holds. The maps are live: read them before the next await, or copy them.
   * @throws ControlError where it holds nothing yet
   */
  current(): { readonly head: Head; readonly configuration: Configuration };
  /** @throws ControlError */
  change(order: ChangeOrder): Promise<ChangeReceipt>;
  /** @throws ControlError */
  rollback(order: RollbackOrder): Promise<ChangeReceipt>;
  /** Newest first. @throws ControlError where the store keeps no history or cannot be reached */
  history(limit: number, before?: number): Promise<readonly HistoryEntry[]>;
  status(): InstanceStatus;
  /** @throws ControlError where the store cannot be reached */
  instances(): Promise<readonly FleetMember[]>;
  /** @throws ControlError where no worker answers in time */
  explain(request: ExplainRequest): Promise<Explanation>;
  /** What is known of destinations and has not expired, `ttlMs` being what is left. */
  health(): readonly HealthReport[];
  /** @returns how many of them are newer than what was known. @throws ControlError */
  reportHealth(reports: readonly HealthReport[]): Promise<number>;
  /** Begins a rolling restart of the workers. @throws ControlError where they are not up yet */
  restartWorkers(): void;
  /** @returns what ends the subscription */
  subscribe(onEvent: (event: ControlEvent) => void): () => void;
}
