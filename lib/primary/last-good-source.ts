import type { Logger } from 'pino';
import type { Head } from '../core/config/change.ts';
import type { ConfigurationTable } from '../core/config/configuration-table.ts';
import { loadDocument } from '../core/config/load-document.ts';
import { formatProblem } from '../core/config/problem.ts';
import type { LastGood, LastGoodFile } from '../store/last-good-file.ts';
import { runInSlices } from './run-in-slices.ts';

/** Reads the configuration that was served last, where it can be used. */
export class LastGoodSource {
  readonly #file: LastGoodFile;
  readonly #source: string;
  readonly #logger: Logger;

  /** `source`: the store in use. What came from another one is not taken: a mistyped path must not serve something else. */
  constructor(file: LastGoodFile, source: string, logger: Logger) {
    this.#file = file;
    this.#source = source;
    this.#logger = logger;
  }

  /** Null where there is none that can be used, which is logged, not fatal: the store may be all right. */
  async load(): Promise<{ readonly head: Head; readonly table: ConfigurationTable } | null> {
    const loaded = await this.#read();
    if (loaded === null) return null;
    if (loaded.source !== this.#source) {
      this.#logger.warn(
        { source: loaded.source, wanted: this.#source },
        'last good configuration is of another store: not used',
      );
      return null;
    }
    const { table, problems } = await runInSlices(loadDocument(loaded.document));
    if (table !== null) return { head: loaded.head, table };
    this.#logger.error(
      { problems: problems.map(formatProblem) },
      'last good configuration is not valid for this version',
    );
    return null;
  }

  async #read(): Promise<LastGood | null> {
    try {
      const loaded = await this.#file.load();
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
}
