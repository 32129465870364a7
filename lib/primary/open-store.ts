import type { Logger } from 'pino';
import { ConfigFileStore } from '../store/config-file-store.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { DirectoryLock } from '../store/directory-lock.ts';
import { FileStore } from '../store/file-store.ts';
import { InstanceCountFile } from '../store/instance-count-file.ts';
import type { RedisSettings } from '../store/redis/redis-url.ts';
import type { HealthDirectory, InstanceDirectory } from '../store/shared-state.ts';
import type { RateSharing } from './rate-hub.ts';

/** Where the configuration lives, and what instances share beside it. */
export interface OpenedStore {
  readonly store: ConfigStore;
  /** The embedded store has a lock of its own; without it the last good configuration needs one all the same. */
  readonly lock: DirectoryLock | null;
  /** Null where nothing is shared. */
  readonly instances: InstanceDirectory | null;
  readonly health: HealthDirectory | null;
  readonly rates: RateSharing | null;
}

export interface StoreSettings {
  readonly redis: RedisSettings | null;
  readonly configFile: string | null;
  readonly stateDirectory: string;
}

/** Redis where it is given, else the configuration file, else the store in the state directory. */
export async function openStore(settings: StoreSettings, logger: Logger): Promise<OpenedStore> {
  const { redis, configFile, stateDirectory } = settings;
  const onNote = (note: string): void => logger.warn({ note }, 'note of the store');
  if (redis === null && configFile === null) {
    const store = await FileStore.open(stateDirectory, { onNote });
    return { store, lock: null, instances: null, health: null, rates: null };
  }
  const lock = await DirectoryLock.acquire(stateDirectory);
  if (redis !== null) {
    // Its client is large, and most who have no Redis never need it.
    const { RedisStore } = await import('../store/redis/redis-store.ts');
    const store = await RedisStore.open(redis, { onNote });
    const countFile = new InstanceCountFile(stateDirectory, (problem) =>
      logger.warn({ problem }, 'the number of instances cannot be kept'),
    );
    const rates = { exchange: store.rates, countFile };
    return { store, lock, instances: store.instances, health: store.health, rates };
  }
  return { store: new ConfigFileStore(configFile ?? ''), lock, instances: null, health: null, rates: null };
}
