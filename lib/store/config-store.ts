/**
 * What the gateway asks of the place where its configuration lives. The rest of the code talks to these
 * interfaces only and does not know which store is behind them.
 */
import type { Delta, Head, Operation } from '../core/config/change.ts';
import type { Problem } from '../core/config/problem.ts';

/** What a store holds at one moment. `document` is not validated: outside consoles write too. */
export interface StoredConfiguration {
  /** Absent where the store does not count revisions (a configuration file): the keeper then counts. */
  readonly head?: Head;
  readonly document: unknown;
}

/** Whether the store answers, and if not, why: shown in `status`. */
export interface StoreCondition {
  readonly reachable: boolean;
  /** Why the store cannot be used as it should be: not reachable, read-only, out of memory; null where all is well. */
  readonly problem: string | null;
  /** Since when it has been like this, ISO 8601. */
  readonly since: string;
}

export interface StoreListener {
  /** The configuration may have moved: a hint to compare heads, never the truth itself. */
  onHint(): void;
  /** A change that came with its operations: it saves a reading where its parent is what one holds. */
  onChange?(delta: Delta): void;
  onCondition?(condition: StoreCondition): void;
}

export interface ConfigStore {
  readonly kind: 'file' | 'config-file' | 'redis';
  /** Which store it is, for the last good configuration to be of the same: kind and place, no secrets. */
  readonly source: string;
  /** True where changes can be published: then it is a `WritableConfigStore`. */
  readonly writable: boolean;
  readonly condition: StoreCondition;
  /**
   * Reads the newest configuration. Returns null where the store is empty.
   * @throws UnreadableStoreError where there is something and it cannot be understood;
   *   StoreUnavailableError where the store does not answer in time.
   */
  read(): Promise<StoredConfiguration | null>;
  watch(listener: StoreListener): void;
  close(): Promise<void>;
}

export interface NewChange {
  readonly operations: readonly Operation[];
  readonly actor: string;
  readonly message: string;
  /** Refuse the change unless the store stands at this revision (0: empty); absent: no condition. */
  readonly expectedRevision?: number;
  /** And unless that revision has this id: a store that lost writes counts the same numbers again. */
  readonly expectedId?: string;
  /** The new revision is greater than this: where an empty store is filled again, counting goes on. */
  readonly revisionFloor?: number;
}

/** A change as the log remembers it. */
export interface LoggedChange extends Delta {
  readonly actor: string;
  readonly message: string;
  /** What makes the change undone: puts of the values before, deletes of what was not there. */
  readonly undo: readonly Operation[];
}

export interface WritableConfigStore extends ConfigStore {
  readonly writable: true;
  /** Where the store stands; null where it is empty. @throws as `read` */
  readHead(): Promise<Head | null>;
  /**
   * Writes one change as one step.
   * @throws RevisionConflictError; MalformedChangeError; StoreUnavailableError, after which it is not known
   *   whether the change was written unless `notWritten` says so.
   */
  publish(change: NewChange): Promise<Head>;
  /** The changes after `revision`, oldest first; null where the log does not reach back that far or is broken. */
  changesSince(revision: number): Promise<readonly LoggedChange[] | null>;
  /** Up to `limit` changes with a revision below `before` (absent: the newest), newest first. */
  history(limit: number, before?: number): Promise<readonly LoggedChange[]>;
}

export function isWritableStore(store: ConfigStore): store is WritableConfigStore {
  return store.writable;
}

/** The store stands at another revision than the writer expected. */
export class RevisionConflictError extends Error {
  readonly currentRevision: number;
  constructor(expected: number, current: number) {
    super(
      `expected revision ${expected}, the store stands at ${current}: read it again, then repeat the change`,
    );
    this.name = 'RevisionConflictError';
    this.currentRevision = current;
  }
}

/** Operations that cannot be applied, whatever the configuration; nothing was written. */
export class MalformedChangeError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(`malformed change: ${problems.map(({ message }) => message).join('; ')}`);
    this.name = 'MalformedChangeError';
    this.problems = problems;
  }
}

/** The store holds something that cannot be understood; `problems` says what and where. */
export class UnreadableStoreError extends Error {
  readonly problems: readonly Problem[];
  /** Where only single entries cannot be understood: all that there is, with null for each of those. Not to be served. */
  readonly remains: StoredConfiguration | null;
  constructor(message: string, problems: readonly Problem[], remains: StoredConfiguration | null = null) {
    super(message);
    this.name = 'UnreadableStoreError';
    this.problems = problems;
    this.remains = remains;
  }
}

/** The store cannot be reached, or refuses to work for now (read-only, out of memory, loading). */
export class StoreUnavailableError extends Error {
  /** True where it is certain that nothing was written. */
  readonly notWritten: boolean;
  constructor(message: string, options: { notWritten: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'StoreUnavailableError';
    this.notWritten = options.notWritten;
  }
}
