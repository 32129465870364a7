/** A store in memory that does what real ones do once a year: it loses writes, forgets its log, hangs, holds nonsense. */
import type { Delta, Head, Operation } from '../../lib/core/config/change.ts';
import { COLLECTIONS, type Kind } from '../../lib/core/config/model.ts';
import {
  type LoggedChange,
  type NewChange,
  RevisionConflictError,
  type StoredConfiguration,
  type StoreListener,
  type WritableConfigStore,
} from '../../lib/store/config-store.ts';
import { UndoRecord } from '../../lib/store/undo-record.ts';

export type StoredDocument = Record<(typeof COLLECTIONS)[Kind], Record<string, unknown>>;

interface Commit {
  readonly change: LoggedChange;
  readonly document: StoredDocument;
}

type Asked = 'readHead' | 'read' | 'changesSince' | 'publish';

/** A place where a call waits until the test lets it go on. */
export interface Gate {
  /** Resolves when a call has come. */
  readonly reached: Promise<void>;
  open(): void;
}

const NOTHING: StoredDocument = {
  clusters: {},
  issuers: {},
  consumers: {},
  certificates: {},
  routes: {},
};

export class ScriptedStore implements WritableConfigStore {
  readonly kind = 'redis';
  readonly source = 'scripted';
  readonly writable = true;
  condition = { reachable: true, problem: null, since: new Date(0).toISOString() };
  /** What is asked is answered with this error, as long as it stands here. */
  readonly failures = new Map<Asked, Error>();
  /** What has been asked, in order. */
  readonly asked: Asked[] = [];
  readonly #listeners: StoreListener[] = [];
  readonly #gates = new Map<Asked, { reached: () => void; opened: Promise<void> }>();
  #commits: Commit[] = [];
  #trimmedBelow = 0;
  #count = 0;

  get head(): Head | null {
    return headOf(this.#commits.at(-1));
  }

  get document(): StoredDocument {
    return this.#commits.at(-1)?.document ?? NOTHING;
  }

  /** Somebody writes, checking nothing. @param name part of the id, for people to read */
  write(operations: readonly Operation[], { revisionFloor = 0, revision = 0, name = 'c' } = {}): Delta {
    const last = this.#commits.at(-1);
    this.#count += 1;
    const head: Head = {
      revision: revision || Math.max(last?.change.revision ?? 0, revisionFloor) + 1,
      id: `${name}${this.#count}`,
      parent: last?.change.id ?? null,
      at: new Date().toISOString(),
    };
    const undo = undoOf(this.document, operations);
    const change = { ...head, actor: 'test', message: '', operations, undo };
    this.#commits.push({ change, document: applied(this.document, operations) });
    return { ...head, operations };
  }

  /** Holds what it held at a revision, and has never heard of what came after. */
  stepBackTo(revision: number): void {
    this.#commits = this.#commits.filter(({ change }) => change.revision <= revision);
  }

  /** @returns what brings all back */
  empty(): () => void {
    const commits = this.#commits;
    this.#commits = [];
    this.#trimmedBelow = 0;
    return () => {
      this.#commits = commits;
    };
  }

  /** Forgets the changes up to a revision; what they made stays. */
  trimLog(revision: number): void {
    this.#trimmedBelow = revision;
  }

  /** The next calls wait. */
  hold(asked: Asked): Gate {
    const reached = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    this.#gates.set(asked, { reached: reached.resolve, opened: opened.promise });
    const open = () => {
      this.#gates.delete(asked);
      opened.resolve();
    };
    return { reached: reached.promise, open };
  }

  tell(change: Delta): void {
    for (const listener of this.#listeners) listener.onChange?.(change);
  }

  hint(): void {
    for (const listener of this.#listeners) listener.onHint();
  }

  watch(listener: StoreListener): void {
    this.#listeners.push(listener);
  }

  async readHead(): Promise<Head | null> {
    await this.#pass('readHead');
    return this.head;
  }

  async read(): Promise<StoredConfiguration | null> {
    await this.#pass('read');
    const { head } = this;
    return head && { head, document: structuredClone(this.document) };
  }

  async publish(change: NewChange): Promise<Head> {
    await this.#pass('publish');
    const { operations, expectedRevision, expectedId, revisionFloor = 0 } = change;
    const current = this.head?.revision ?? 0;
    const isOther = expectedId !== undefined && expectedId !== this.head?.id;
    if (expectedRevision !== undefined && (expectedRevision !== current || isOther)) {
      throw new RevisionConflictError(expectedRevision, current);
    }
    const { operations: _, ...head } = this.write(operations, { revisionFloor });
    return head;
  }

  async changesSince(revision: number): Promise<readonly LoggedChange[] | null> {
    await this.#pass('changesSince');
    const current = this.head?.revision ?? 0;
    if (revision === current) return [];
    if (revision > current || revision < this.#trimmedBelow) return null;
    const changes = this.#commits.map(({ change }) => change).filter((one) => one.revision > revision);
    return changes.some((change, index) => index > 0 && change.parent !== changes[index - 1]?.id)
      ? null
      : changes;
  }

  async history(limit: number, before = Number.POSITIVE_INFINITY): Promise<readonly LoggedChange[]> {
    const changes = this.#commits.map(({ change }) => change).filter(({ revision }) => revision < before);
    return changes.reverse().slice(0, limit);
  }

  async close(): Promise<void> {
    this.#listeners.length = 0;
  }

  async #pass(asked: Asked): Promise<void> {
    this.asked.push(asked);
    const gate = this.#gates.get(asked);
    gate?.reached();
    await gate?.opened;
    const failure = this.failures.get(asked);
    if (failure !== undefined) throw failure;
  }
}

function headOf(commit: Commit | undefined): Head | null {
  if (commit === undefined) return null;
  const { revision, id, parent, at } = commit.change;
  return { revision, id, parent, at };
}

function applied(document: StoredDocument, operations: readonly Operation[]): StoredDocument {
  const result = structuredClone(document);
  for (const operation of operations) {
    const section: Record<string, unknown> = result[COLLECTIONS[operation.kind]];
    if (operation.op === 'put') section[operation.id] = operation.value;
    else delete section[operation.id];
  }
  return result;
}

function undoOf(document: StoredDocument, operations: readonly Operation[]): Operation[] {
  const record = new UndoRecord();
  for (const { kind, id } of operations) record.note(kind, id, document[COLLECTIONS[kind]][id]);
  return [...record.operations()];
}
