/**
 * Holds the one validated configuration of this instance and keeps it in step with the store. What the store
 * offers is validated first; what is refused changes nothing, and the last good one stays. The last good
 * one is also kept on disk, to start from when the store cannot be read.
 */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { AppliedChain } from '../core/config/applied-chain.ts';
import type { Delta, Head, Operation } from '../core/config/change.ts';
import { ConfigurationTable } from '../core/config/configuration-table.ts';
import { changedDocument, diffInSlices } from '../core/config/difference.ts';
import { loadDocument } from '../core/config/load-document.ts';
import { formatProblem, type Problem } from '../core/config/problem.ts';
import { Breather } from '../store/breather.ts';
import type { StoredConfiguration } from '../store/config-store.ts';
import type { LastGoodSource } from './last-good-source.ts';
import { runInSlices } from './run-in-slices.ts';
import type { CurrentConfiguration } from './worker-channel.ts';

const EMPTY_HEAD: Head = { revision: 0, id: 'empty', parent: null, at: new Date(0).toISOString() };
/** Changes with more operations are checked as a whole document, which goes in slices. */
const MAX_CHECKED_OPERATIONS = 1_000;
/** What an emptied or half-written file reads as; it must not take every route away. */
const EMPTIED: readonly Problem[] = [
  {
    pointer: '',
    message: 'the document is empty, and routes are being served',
    hint: 'to remove them all write "routes: {}"',
  },
];

/** Whether a configuration was made on the one held. What has no parent was made on an empty store. */
export function isChildOf(head: Head, held: Head): boolean {
  return (head.parent ?? EMPTY_HEAD.id) === held.id;
}

/** There is nothing to run on: the store's configuration is refused and there is no last good one. */
export class NoConfigurationError extends Error {
  readonly problems: readonly Problem[];
  constructor(message: string, problems: readonly Problem[]) {
    super([message, ...problems.map((problem) => `  ${formatProblem(problem)}`)].join('\n'));
    this.name = 'NoConfigurationError';
    this.problems = problems;
  }
}

/** A configuration of the store that is not served, and why. */
export interface RefusedConfiguration {
  /** Null where the store does not say where it stands. */
  readonly head: Head | null;
  /** When it was refused, ISO 8601. */
  readonly at: string;
  readonly problems: readonly Problem[];
}

/** What is known of the way from what is held to what the store holds. */
export interface Lineage {
  /** The changes that lead there, oldest first. */
  readonly changes?: readonly Delta[];
  /** The newest of the store's log, oldest first, each the parent of the next, where they do not begin at what is held. */
  readonly newest?: readonly Delta[];
  /** The store's log shows another way. */
  readonly hasForked?: boolean;
}

export interface KeeperEvents {
  /** The configuration has moved. Large ones too come as one delta. */
  onDelta(delta: Delta): void;
  onRefused(refused: RefusedConfiguration): void;
  /** The store went back behind what is served, or lost its history: it wins, loudly. */
  onStepBack(from: Head, to: Head): void;
  /** The store is empty, and what it held before is served on. */
  onStoreEmpty(): void;
}

export class ConfigKeeper {
  readonly #lastGood: LastGoodSource;
  readonly #logger: Logger;
  readonly #events: KeeperEvents;
  readonly #chain = new AppliedChain();
  #head: Head = EMPTY_HEAD;
  #table = new ConfigurationTable();
  #refused: RefusedConfiguration | null = null;
  #storeIsEmpty = false;
  #hasConfiguration = false;

  constructor(lastGood: LastGoodSource, events: KeeperEvents, logger: Logger) {
    this.#lastGood = lastGood;
    this.#events = events;
    this.#logger = logger;
    this.#chain.add(EMPTY_HEAD);
  }

  /** Live: its Maps change with later changes. */
  get current(): CurrentConfiguration {
    return { head: this.#head, configuration: this.#table.configuration };
  }

  get head(): Head {
    return this.#head;
  }

  get table(): ConfigurationTable {
    return this.#table;
  }

  /** The heads that were held one after the other. */
  get chain(): AppliedChain {
    return this.#chain;
  }

  /** Why the newest configuration of the store is not the one served; null where it is. */
  get refused(): RefusedConfiguration | null {
    return this.#refused;
  }

  /** True while the store holds nothing and what was there before is served nevertheless. */
  get storeIsEmpty(): boolean {
    return this.#storeIsEmpty;
  }

  /** False until there is something to serve: a configuration of the store, an empty store, or the last good one. */
  get hasConfiguration(): boolean {
    return this.#hasConfiguration;
  }

  /** Takes the configuration that was served last as where to go on from, if there is one of this store. */
  async loadLastGood(): Promise<boolean> {
    const loaded = await this.#lastGood.load();
    if (loaded === null) return false;
    // What was served may have been the configuration of a store that nobody had written to.
    this.#head = loaded.head.id === EMPTY_HEAD.id ? EMPTY_HEAD : loaded.head;
    this.#table = loaded.table;
    this.#chain.restart();
    this.#chain.add(this.#head);
    this.#hasConfiguration = true;
    return true;
  }

  /**
   * Takes changes that the store's log holds, oldest first, the first being a child of what is held. A change
   * that is refused is tried again together with the ones after it: what counts is whether the result is valid.
   * It is tried again ever more rarely, or a long row of changes after a bad one would be checked again and again.
   */
  async takeChanges(changes: readonly Delta[]): Promise<void> {
    const breather = new Breather();
    let waiting: Delta[] = [];
    for (const change of changes) {
      if (breather.isDue) await breather.breathe();
      waiting.push(change);
      const isLast = change === changes.at(-1);
      if (!isLast && !isPowerOfTwo(waiting.length)) continue;
      const operations = waiting.flatMap((one) => one.operations);
      if (operations.length > MAX_CHECKED_OPERATIONS) {
        await this.#takeMany(changes);
        return;
      }
      const { operations: effective, problems, warnings } = this.#table.check(operations);
      if (problems.length > 0) {
        if (isLast) this.#refuse(change, problems);
        continue;
      }
      for (const { revision, id } of waiting) this.#chain.add({ revision, id });
      this.#table.apply(effective);
      this.#accept(change, effective, warnings);
      waiting = [];
    }
  }

  /** Those that were taken already change nothing more. */
  async #takeMany(changes: readonly Delta[]): Promise<void> {
    const operations = changes.flatMap((change) => change.operations);
    const document = await runInSlices(changedDocument(this.#table.configuration, operations));
    await this.#takeWhole({ head: changes.at(-1)!, document }, { changes });
  }

  /** Takes all that the store holds, in place of what is held. `undefined` heads are counted here. */
  async takeStored(stored: StoredConfiguration | null, lineage: Lineage = {}): Promise<void> {
    await this.#takeWhole(stored, lineage);
  }

  async #takeWhole(stored: StoredConfiguration | null, lineage: Lineage): Promise<void> {
    if (stored === null) {
      this.#noteEmptyStore();
      return;
    }
    if (
      stored.head === undefined &&
      isEmptied(stored.document) &&
      this.#table.configuration.routes.size > 0
    ) {
      this.#refuse(null, EMPTIED);
      return;
    }
    const { table, problems, warnings } = await runInSlices(loadDocument(stored.document));
    if (table === null) {
      this.#refuse(stored.head ?? null, problems);
      return;
    }
    const operations = await runInSlices(diffInSlices(this.#table.configuration, table.configuration));
    const head = stored.head ?? this.#nextHead(table, operations);
    if (head.id === this.#head.id && this.#hasConfiguration) {
      this.noteInStep();
      return;
    }
    this.#follow(head, lineage);
    this.#table = table;
    this.#accept(head, operations, warnings);
  }

  #follow(head: Head, { changes, newest = [], hasForked }: Lineage): void {
    if (changes?.at(-1)?.id === head.id) {
      for (const { revision, id } of changes) this.#chain.add({ revision, id });
      return;
    }
    if (!isChildOf(head, this.#head)) this.#chain.restart();
    // Who wrote one of them is waiting to hear that it is served, whatever came after it.
    const last = newest.at(-1)?.id;
    if (last === head.id || last === head.parent)
      for (const { revision, id } of newest) this.#chain.add({ revision, id });
    this.#chain.add(head);
    const isOlder = head.revision <= this.#head.revision;
    if (this.#head !== EMPTY_HEAD && (isOlder || hasForked === true))
      this.#events.onStepBack(this.#head, head);
  }

  #accept(head: Head, operations: readonly Operation[], warnings: readonly Problem[]): void {
    this.#clearRefusal();
    this.#storeIsEmpty = false;
    const parent = this.#head.id;
    const { revision, id, at } = head;
    this.#head = { revision, id, parent: head.parent, at };
    this.#hasConfiguration = true;
    this.#logWarnings(warnings);
    this.#events.onDelta({ revision, id, parent, at, operations });
  }

  /** The store stands where this instance does. */
  noteInStep(): void {
    this.#storeIsEmpty = false;
    this.#clearRefusal();
  }

  #clearRefusal(): void {
    if (this.#refused !== null) this.#logger.info('configuration accepted again');
    this.#refused = null;
  }

  /** An empty store is no configuration: one that is there is not given up for it. */
  #noteEmptyStore(): void {
    this.#clearRefusal();
    if (!this.#hasConfiguration) {
      this.#hasConfiguration = true;
      this.#events.onDelta({ ...this.#head, operations: [] });
      return;
    }
    if (this.#head === EMPTY_HEAD || this.#storeIsEmpty) return;
    this.#storeIsEmpty = true;
    this.#logger.error(
      { revision: this.#head.revision },
      'the store is empty: the configuration at hand is served until someone writes',
    );
    this.#events.onStoreEmpty();
  }

  /** For stores that do not count: the revision goes on from the last good one, the id is the content's. */
  #nextHead(table: ConfigurationTable, operations: readonly Operation[]): Head {
    if (operations.length === 0 && this.#head !== EMPTY_HEAD) return this.#head;
    const revision = this.#head.revision + 1;
    const content = `${this.#head.id} ${revision} ${table.fingerprint}`;
    const id = createHash('sha256').update(content).digest('hex').slice(0, 24);
    return { revision, id, parent: this.#head.id, at: new Date().toISOString() };
  }

  /** Notes that what the store holds cannot be served. @param head where the store stands, if that is known */
  noteUnreadable(head: Head | null, problems: readonly Problem[]): void {
    this.#refuse(head, problems);
  }

  #refuse(head: Head | null, problems: readonly Problem[]): void {
    const isKnown = this.#refused !== null && head !== null && this.#refused.head?.id === head.id;
    const at = isKnown && this.#refused !== null ? this.#refused.at : new Date().toISOString();
    this.#refused = { head: headOnly(head), at, problems };
    this.#storeIsEmpty = false;
    if (isKnown) return;
    this.#logger.error(
      {
        revision: this.#head.revision,
        refusedRevision: head?.revision,
        problems: textsOf(problems),
        count: problems.length,
      },
      'configuration refused',
    );
    this.#events.onRefused(this.#refused);
  }

  #logWarnings(warnings: readonly Problem[]): void {
    if (warnings.length === 0) return;
    this.#logger.warn({ warnings: textsOf(warnings), count: warnings.length }, 'configuration has warnings');
  }
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

function headOnly(head: Head | null): Head | null {
  if (head === null) return null;
  const { revision, id, parent, at } = head;
  return { revision, id, parent, at };
}

function isEmptied(document: unknown): boolean {
  return typeof document === 'object' && document !== null && Object.keys(document).length === 0;
}

function textsOf(problems: readonly Problem[]): string[] {
  return problems.map(formatProblem);
}
