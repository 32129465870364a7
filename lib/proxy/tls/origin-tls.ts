import { createSecureContext, type SecureContext } from 'node:tls';
import type { Material, Materials } from '../../auth/materials.ts';
import { materialName } from '../../core/config/material-names.ts';
import type { OriginTls as OriginTlsSettings } from '../../core/config/model.ts';

/** How a connection to an origin is secured; what `tls.connect` takes. */
export interface OriginTlsOptions {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
}

/** TLS to an origin is not possible now; the code makes it a failure of TLS. */
class OriginTlsError extends Error {
  readonly code = 'ERR_TLS_ORIGIN_SETTINGS';
}

/** The values that a context was made of. */
type Values = readonly (string | undefined)[];

/**
 * The TLS settings of a cluster, with its materials as they are now: new connections are made with new ones,
 * those that stand live on. Made anew only where a material has changed.
 */
export class OriginTls {
  readonly #settings: OriginTlsSettings;
  readonly #materials: readonly (Material | null)[];
  #values: Values | null = null;
  #options: OriginTlsOptions | null = null;

  constructor(settings: OriginTlsSettings, materials: Materials) {
    this.#settings = settings;
    const { caFile, caEnv, certFile, certEnv, keyFile, keyEnv } = settings;
    const names = [
      materialName(caFile, caEnv),
      materialName(certFile, certEnv),
      materialName(keyFile, keyEnv),
    ];
    this.#materials = names.map((name) => (name === null ? null : materials.get(name)));
  }

  /** The name that is asked for and verified; null where it is the host of the destination. */
  get serverName(): string | null {
    return this.#settings.serverName ?? null;
  }

  /**
   * What to connect with. The same object as long as nothing has changed. Waits for materials that have not come
   * yet, for two seconds at most.
   * @throws Error where a material cannot be got or used
   */
  async options(): Promise<OriginTlsOptions> {
    for (const material of this.#materials) if (material?.value === undefined) await material?.next();
    const values = this.#materials.map((material) =>
      material === null ? undefined : currentValueOf(material),
    );
    if (this.#options === null || !isSame(values, this.#values)) this.#options = this.#create(values);
    this.#values = values;
    return this.#options;
  }

  #create([ca, cert, key]: Values): OriginTlsOptions {
    const { minVersion = 'TLSv1.2', insecureSkipVerify = false } = this.#settings;
    try {
      const secureContext = createSecureContext({ ca, cert, key, minVersion });
      return { secureContext, rejectUnauthorized: !insecureSkipVerify };
    } catch (error) {
      throw new OriginTlsError(`the cluster's tls settings do not work: ${(error as Error).message}`);
    }
  }
}

function currentValueOf({ name, value }: Material): string {
  if (typeof value === 'string') return value;
  throw new OriginTlsError(`${name} of the cluster's tls settings is not available`);
}

function isSame(values: Values, before: Values | null): boolean {
  return before !== null && values.every((value, index) => value === before[index]);
}
