import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AddressSet } from '../../core/policy/address-ranges.ts';
import { KeySetFile, removeOtherKeySets } from './key-set-file.ts';
import { KeySetMaterial } from './key-set-material.ts';
import { fetchKeys } from './key-set-request.ts';
import { addressOf, type MaterialSource, type TakeReadings } from './material-source.ts';

export interface KeySetsOptions {
  /** Fetched keys are kept in `jwks` there. */
  readonly stateDirectory: string;
  /** Restricted addresses that may be connected to all the same. */
  readonly allowed: AddressSet;
  /** How long the keys of a URL are used that cannot be fetched any more. */
  graceSec(name: string): number;
  readonly take: TakeReadings;
  readonly logger: Logger;
}

interface KeptKeys {
  readonly material: KeySetMaterial;
  readonly file: KeySetFile;
}

/** Materials that are JWK Sets, fetched from URLs. */
export class KeySetMaterials implements MaterialSource {
  readonly #options: KeySetsOptions;
  readonly #directory: string;
  readonly #kept = new Map<string, KeptKeys>();

  constructor(options: KeySetsOptions) {
    this.#options = options;
    this.#directory = join(options.stateDirectory, 'jwks');
  }

  add(names: readonly string[]): void {
    for (const name of names) this.#addOne(name);
  }

  #addOne(name: string): void {
    const { allowed, graceSec, take, logger } = this.#options;
    const url = URL.parse(addressOf(name));
    if (url === null) {
      take([{ name, value: null, problem: 'it is no URL' }]);
      return;
    }
    const file = new KeySetFile(this.#directory, addressOf(name));
    const material = new KeySetMaterial({
      file,
      fetch: (signal) => fetchKeys(url, allowed, signal),
      graceSec: () => graceSec(name),
      tell: (value, problem) => take([{ name, value, problem }]),
      logger,
    });
    this.#kept.set(name, { material, file });
    material.start();
  }

  remove(name: string): void {
    const kept = this.#kept.get(name);
    this.#kept.delete(name);
    kept?.material.close();
    void kept?.file.remove();
  }

  async refresh(name: string): Promise<boolean> {
    return (await this.#kept.get(name)?.material.refresh()) ?? false;
  }

  /** Removes the saved keys of URLs that were named in a former run only. */
  async tidy(): Promise<void> {
    await removeOtherKeySets(this.#directory, [...this.#kept.keys()].map(addressOf));
  }

  close(): void {
    for (const { material } of this.#kept.values()) material.close();
  }
}
