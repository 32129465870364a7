/** What a change is made of: the operations of a delta, and the heads that they lead from and to. */
import type { Kind, KindValues } from './model.ts';

type PutOf<K extends Kind> = K extends Kind
  ? { readonly op: 'put'; readonly kind: K; readonly id: string; readonly value: KindValues[K] }
  : never;

export type PutOperation = PutOf<Kind>;
interface DeleteOperation {
  readonly op: 'delete';
  readonly kind: Kind;
  readonly id: string;
}
export type Operation = PutOperation | DeleteOperation;

/** Where a configuration stands: `revision` counts up, `id` names the content's change, `parent` the one before. */
export interface Head {
  readonly revision: number;
  readonly id: string;
  readonly parent: string | null;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** One atomic step from the configuration whose head id is `parent` to the one whose head id is `id`. */
export interface Delta extends Head {
  readonly operations: readonly Operation[];
}
