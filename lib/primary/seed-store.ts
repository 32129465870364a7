import type { Logger } from 'pino';
import { loadDocument } from '../core/config/load-document.ts';
import { ConfigFileStore } from '../store/config-file-store.ts';
import {
  type ConfigStore,
  isWritableStore,
  RevisionConflictError,
  StoreUnavailableError,
} from '../store/config-store.ts';
import { NoConfigurationError } from './config-keeper.ts';
import { runInSlices } from './run-in-slices.ts';
import { contentOperations } from './store-repair.ts';

/**
 * Fills a store that was found empty with a configuration file. Where another instance does so at the same
 * time, one of them wins. A store that cannot be written to now stays as it is, which is logged.
 * @throws NoConfigurationError where the file is not valid; UnreadableStoreError where it cannot be read
 */
export async function seedStore(store: ConfigStore, configFile: string, logger: Logger): Promise<void> {
  if (!isWritableStore(store)) return;
  const { document } = await new ConfigFileStore(configFile).read();
  const { table, problems } = await runInSlices(loadDocument(document));
  if (table === null) throw new NoConfigurationError(`${configFile} cannot seed the store:`, problems);
  const operations = contentOperations(table.configuration);
  if (operations.length === 0) return;
  try {
    const message = `seeded from ${configFile}`;
    const { revision } = await store.publish({ operations, actor: 'gateway', message, expectedRevision: 0 });
    logger.info({ revision, file: configFile }, 'the empty store was seeded');
  } catch (error) {
    if (error instanceof StoreUnavailableError) {
      logger.error({ reason: error.message, file: configFile }, 'the empty store could not be seeded');
    } else if (!(error instanceof RevisionConflictError)) throw error;
  }
}
