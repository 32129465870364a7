/**
 * Holds the one validated configuration of this instance. What the store offers is validated first; what is
 * refused changes nothing, and the last good one stays. The last good one is also kept on disk, to start
 * from when the store cannot be read.
 */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Delta, Head } from '../core/config/change.ts';
import { diffConfigurations } from '../core/config/difference.ts';
import { documentOf, EMPTY_CONFIGURATION } from '../core/config/document.ts';
import type { Configuration } from '../core/config/model.ts';
import { formatProblem, type Problem } from '../core/config/problem.ts';
import { validateDocument } from '../core/config/validate.ts';
import { type ConfigStore, type StoredConfiguration, UnreadableStoreError } from '../store/config-store.ts';
import type { LastGood, LastGoodFile } from '../store/last-good-file.ts';
import type { CurrentConfiguration } from './worker-channel.ts';

const EMPTY_HEAD: Head = { revision: 0, id: 'empty', parent: null, at: new Date(0).toISOString() };
/** What an emptied or half-written file reads as; it must not take every route away. */
const EMPTIED: readonly Problem[] = [
  {
    pointer: '',
    message: 'the document is empty, and routes are being served',
    hint: 'to remove them all write "routes: {}"',
  },
];

/** There is nothing to run on: the store's configuration is refused and there is no last good one. */
export class NoConfigurationError extends Error {
  readonly problems: readonly Problem[];
  constructor(message: string, problems: readonly Problem[]) {
    super([message, ...problems.map((problem) => `  ${formatProblem(problem)}`)].join('\n'));
    this.name = 'NoConfigurationError';
    this.problems = problems;
  }
}

export interface KeeperEvents {
  onDelta(delta: Delta): void;
  onRefused(problems: readonly Problem[]): void;
}

export class ConfigKeeper {
  readonly #store: ConfigStore;
  readonly #source: string;
  readonly #lastGood: LastGoodFile;
  readonly #logger: Logger;
  readonly #events: KeeperEvents;
  #head: Head = EMPTY_HEAD;
  #configuration: Configuration = EMPTY_CONFIGURATION;
  #refused: readonly Problem[] | null = null;
  #reading: Promise<void> | null = null;
  #readAgain = false;
  #saving: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(store: ConfigStore, lastGood: LastGoodFile, events: KeeperEvents, logger: Logger) {
    this.#store = store;
    this.#source = store.source;
    this.#lastGood = lastGood;
    this.#events = events;
    this.#logger = logger;
  }

  get current(): CurrentConfiguration {
    return { head: this.#head, configuration: this.#configuration };
  }

  /** Why the newest configuration of the store is not the one served; null where it is. */
  get refused(): readonly Problem[] | null {
    return this.#refused;
  }

  /** Reads the store, or falls back to the last good configuration. @throws NoConfigurationError */
  async start(): Promise<void> {
    const lastGood = await this.#loadLastGood();
    await this.#read();
    if (this.#refused !== null && !lastGood) {
      throw new NoConfigurationError('The configuration is refused:', this.#refused);
    }
    if (this.#refused !== null) {
      const { revision, at } = this.#head;
      this.#logger.warn({ revision, savedAt: at }, 'serving the last good configuration');
    }
    this.#store.watch(() => this.refresh());
  }

  /** Takes the configuration that was served last as where to go on from. */
  async #loadLastGood(): Promise<boolean> {
    const loaded = await this.#readLastGood();
    // That of another file or store says nothing of this one: a mistyped path must not serve something else.
    if (loaded === null || loaded.source !== this.#source) return false;
    const { configuration, problems } = validateDocument(loaded.document);
    if (configuration === null) {
      this.#logger.error(
        { problems: textsOf(problems) },
        'last good configuration is not valid for this version',
      );
      return false;
    }
    this.#head = loaded.head;
    this.#configuration = configuration;
    return true;
  }

  /** Null where there is none that can be used, which is logged, not fatal: the store may be all right. */
  async #readLastGood(): Promise<LastGood | null> {
    try {
      const loaded = await this.#lastGood.load();
      if (loaded.kind === 'loaded') return loaded;
      if (loaded.kind === 'damaged') {
        const { reason, setAsideAs } = loaded;
        this.#logger.error({ reason, setAsideAs }, 'last good configuration is damaged: set aside');
      }
    } catch (error) {
      this.#logger.error({ reason: (error as Error).message }, 'last good configuration cannot be read');
    }
    return null;
  }

  /** Reads the store again; calls that come meanwhile are served by one more reading. */
  refresh(): void {
    this.#readAgain = true;
    this.#reading ??= this.#readUntilDone().finally(() => {
      this.#reading = null;
    });
  }

  async #readUntilDone(): Promise<void> {
    while (this.#readAgain && !this.#closed) {
      this.#readAgain = false;
      await this.#read();
    }
  }

  async #read(): Promise<void> {
    try {
      this.#offer(await this.#store.read());
    } catch (error) {
      const problems =
        error instanceof UnreadableStoreError
          ? error.problems
          : [{ pointer: '', message: (error as Error).message }];
      this.#refuse(problems);
    }
  }

  #offer(stored: StoredConfiguration | null): void {
    if (stored === null) {
      this.#noteEmptyStore();
      return;
    }
    if (isEmptied(stored.document) && this.#configuration.routes.size > 0) {
      this.#refuse(EMPTIED);
      return;
    }
    const { configuration, problems, warnings } = validateDocument(stored.document);
    if (configuration === null) {
      this.#refuse(problems);
      return;
    }
    if (this.#refused !== null) this.#logger.info('configuration accepted again');
    this.#refused = null;
    const operations = diffConfigurations(this.#configuration, configuration);
    const head = stored.head ?? this.#nextHead(configuration, operations.length > 0);
    if (head.id === this.#head.id) return;
    this.#logWarnings(warnings);
    const delta: Delta = { ...head, operations };
    this.#head = head;
    this.#configuration = configuration;
    this.#events.onDelta(delta);
  }

  /** An empty store is no configuration: one that has routes is not given up for it. */
  #noteEmptyStore(): void {
    if (this.#configuration.routes.size === 0) return;
    this.#logger.error(
      { revision: this.#head.revision },
      'the store is empty: the last good configuration is served until someone writes',
    );
  }

  /** For stores that do not count: the revision goes on from the last good one, the id is the content's. */
  #nextHead(configuration: Configuration, differs: boolean): Head {
    if (!differs && this.#head !== EMPTY_HEAD) return this.#head;
    const content = JSON.stringify(documentOf(configuration));
    const id = createHash('sha256')
      .update(content)
      .update(String(this.#head.revision))
      .digest('hex')
      .slice(0, 24);
    return { revision: this.#head.revision + 1, id, parent: this.#head.id, at: new Date().toISOString() };
  }

  #refuse(problems: readonly Problem[]): void {
    this.#refused = problems;
    this.#logger.error(
      { revision: this.#head.revision, problems: textsOf(problems), count: problems.length },
      'configuration refused',
    );
    this.#events.onRefused(problems);
  }

  #logWarnings(warnings: readonly Problem[]): void {
    if (warnings.length === 0) return;
    this.#logger.warn({ warnings: textsOf(warnings), count: warnings.length }, 'configuration has warnings');
  }

  /** Every worker serves the current configuration: only now is it known to be good. */
  noteApplied(): void {
    const content = { source: this.#source, head: this.#head, document: documentOf(this.#configuration) };
    // Traffic does not depend on it: a full or read-only disk is reported, not obeyed.
    this.#saving = this.#lastGood.save(content).catch((error: Error) => {
      this.#logger.error({ reason: error.message }, 'last good configuration could not be saved');
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reading;
    await this.#saving;
    await this.#store.close();
  }
}

function isEmptied(document: unknown): boolean {
  return typeof document === 'object' && document !== null && Object.keys(document).length === 0;
}

function textsOf(problems: readonly Problem[]): string[] {
  return problems.map(formatProblem);
}
