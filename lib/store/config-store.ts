/**
 * What the gateway asks of the place where its configuration lives. The config keeper talks to this
 * interface only and does not know which store is behind it.
 */
import type { Head, Operation } from '../core/config/change.ts';
import type { Problem } from '../core/config/problem.ts';

/** What a store holds at one moment. `document` is not validated: outside consoles write too. */
export interface StoredConfiguration {
  /** Absent where the store does not count revisions (a configuration file): the keeper then counts. */
  readonly head?: Head;
  readonly document: unknown;
}

export interface ConfigStore {
  readonly kind: 'file' | 'config-file' | 'redis';
  /** Which store it is, for the last good configuration to be of the same: kind and place, no secrets. */
  readonly source: string;
  /** True where the management API may write configuration. */
  readonly writable: boolean;
  /**
   * Reads the newest configuration. Returns null where the store is empty.
   * @throws UnreadableStoreError where there is something and it cannot be understood.
   */
  read(): Promise<StoredConfiguration | null>;
  /** Calls `onHint` whenever the configuration may have moved: a hint to read, never the truth itself. */
  watch(onHint: () => void): void;
  close(): Promise<void>;
}

export interface NewChange {
  readonly operations: readonly Operation[];
  readonly actor: string;
  readonly message: string;
  /** Refuse the change unless the store stands at this revision; absent: no condition. */
  readonly expectedRevision?: number;
}

/** A change as the log remembers it. */
export interface LoggedChange extends Head {
  readonly actor: string;
  readonly message: string;
  readonly operations: readonly Operation[];
}

export interface WritableConfigStore extends ConfigStore {
  /** Writes one change as one step. @throws RevisionConflictError */
  publish(change: NewChange): Promise<Head>;
  /** The changes after `revision`, oldest first; null where the log no longer reaches back that far. */
  changesSince(revision: number): Promise<readonly LoggedChange[] | null>;
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

/** The store holds something that cannot be understood; `problems` says what and where. */
export class UnreadableStoreError extends Error {
  readonly problems: readonly Problem[];
  constructor(message: string, problems: readonly Problem[]) {
    super(message);
    this.name = 'UnreadableStoreError';
    this.problems = problems;
  }
}
