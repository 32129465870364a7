import { createSecureContext, type SecureContext } from 'node:tls';
import type { Material, Materials } from '../../auth/materials.ts';
import { materialName } from '../../core/config/material-names.ts';
import type { OriginTls as OriginTlsSettings } from '../../core/config/model.ts';
import { checkPair, splitCertificates } from '../../net/pem.ts';

/** How a connection to an origin is secured; what `tls.connect` takes. */
export interface OriginTlsOptions {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
}

/** TLS to an origin is not possible now; the code makes it a failure of TLS. */
class OriginTlsError extends Error {
  readonly code = 'ERR_TLS_ORIGIN_SETTINGS';
}

/** What the materials held when a context was made of them. */
type Values = readonly (string | null | undefined)[];

/**
 * The TLS settings of a cluster, with its materials as they are now: new connections are made with new ones,
 * those that stand live on. Made anew only where a material has changed; what cannot be used, which the primary
 * tells only where there is nothing better, leaves the last good one in force.
 */
export class OriginTls {
  readonly #settings: OriginTlsSettings;
  readonly #ca: Material | null;
  readonly #cert: Material | null;
  readonly #key: Material | null;
  #tried: Values | null = null;
  #options: OriginTlsOptions | null = null;
  #problem = '';

  constructor(settings: OriginTlsSettings, materials: Materials) {
    const { caFile, caEnv, certFile, certEnv, keyFile, keyEnv } = settings;
    const find = (file: string | undefined, variable: string | undefined): Material | null => {
      const name = materialName(file, variable);
      return name === null ? null : materials.get(name);
    };
    this.#settings = settings;
    this.#ca = find(caFile, caEnv);
    this.#cert = find(certFile, certEnv);
    this.#key = find(keyFile, keyEnv);
  }

  /** The name that is asked for and verified; null where it is the host of the destination. */
  get serverName(): string | null {
    return this.#settings.serverName ?? null;
  }

  /**
   * What to connect with. The same object as long as nothing has changed. Waits for materials that have not come
   * yet, for two seconds at most.
   * @throws Error where there has never been anything that could be used
   */
  async options(): Promise<OriginTlsOptions> {
    const materials = [this.#ca, this.#cert, this.#key];
    if (materials.some(isAwaited)) await Promise.all(materials.filter(isAwaited).map((one) => one.next()));
    const values = materials.map((material) => material?.value);
    if (!isSame(values, this.#tried)) this.#compile(values);
    if (this.#options === null) throw new OriginTlsError(this.#problem);
    return this.#options;
  }

  #compile(values: Values): void {
    this.#tried = values;
    try {
      this.#options = this.#create();
    } catch (error) {
      this.#problem = (error as Error).message;
    }
  }

  #create(): OriginTlsOptions {
    const { minVersion = 'TLSv1.2', insecureSkipVerify = false } = this.#settings;
    const secureContext = createSecureContext({ ...this.#authorities(), ...this.#pair(), minVersion });
    return { secureContext, rejectUnauthorized: !insecureSkipVerify };
  }

  #authorities(): { ca?: string[] } {
    if (this.#ca === null) return {};
    const pem = textOf(this.#ca);
    try {
      return { ca: splitCertificates(pem) };
    } catch (error) {
      throw unusable(this.#ca.name, error);
    }
  }

  #pair(): { cert?: string; key?: string } {
    if (this.#cert === null || this.#key === null) return {};
    const pair = { cert: textOf(this.#cert), key: textOf(this.#key) };
    try {
      checkPair(pair);
      return pair;
    } catch (error) {
      throw unusable(`${this.#cert.name} with ${this.#key.name}`, error);
    }
  }
}

function isAwaited(material: Material | null): material is Material {
  return material !== null && material.value === undefined;
}

function textOf({ name, value }: Material): string {
  if (typeof value === 'string') return value;
  throw new Error(`there is no usable ${name}`);
}

function unusable(what: string, error: unknown): Error {
  return new Error(`${what} cannot be used: ${(error as Error).message}`);
}

function isSame(values: Values, before: Values | null): boolean {
  return before?.every((value, index) => value === values[index]) ?? false;
}
