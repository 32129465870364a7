import type { Logger } from 'pino';
import { type AdminTls, adminContextOptions } from '../admin/admin-tls.ts';
import { type AdminTlsFiles, SettingsError } from './gateway-settings.ts';
import { FileMaterials } from './materials/file-materials.ts';
import { MaterialFile } from './materials/material-file.ts';
import type { MaterialReading } from './materials/material-source.ts';

/** The files of the admin listener's certificate: read at the start, and again whenever they change. */
export class AdminCertificate {
  readonly #files: AdminTlsFiles;
  readonly #logger: Logger;
  readonly #materials: FileMaterials;
  /** By the names of the files. */
  readonly #texts: Map<string, string>;
  /** What is wrong with each file now. */
  readonly #problems = new Map<string, string>();
  #tls: AdminTls;
  #renew: (tls: AdminTls) => void = () => {};

  private constructor(files: AdminTlsFiles, texts: Map<string, string>, logger: Logger) {
    this.#files = files;
    this.#texts = texts;
    this.#logger = logger;
    this.#tls = this.#join();
    this.#materials = new FileMaterials((readings) => this.#take(readings));
  }

  /** @throws SettingsError where a file cannot be read or used */
  static async open(files: AdminTlsFiles, logger: Logger): Promise<AdminCertificate> {
    const certificate = new AdminCertificate(files, await readAll(files), logger);
    try {
      adminContextOptions(certificate.tls);
    } catch (error) {
      throw new SettingsError(`${describe(files)}: ${(error as Error).message}`);
    }
    return certificate;
  }

  /** As the files were when they were read last. */
  get tls(): AdminTls {
    return this.#tls;
  }

  /** Begins to look after the files. @param use takes what is there and what is new, or throws where it cannot be used */
  watch(use: (tls: AdminTls) => void): void {
    this.#renew = use;
    use(this.#tls);
    this.#materials.add([...this.#texts.keys()]);
  }

  close(): void {
    this.#materials.close();
  }

  #join(): AdminTls {
    const { certFile, keyFile, clientCaFile } = this.#files;
    const textOf = (file: string): string => this.#texts.get(nameOf(file)) ?? '';
    return {
      cert: textOf(certFile),
      key: textOf(keyFile),
      clientCa: clientCaFile === null ? null : textOf(clientCaFile),
    };
  }

  #take(readings: readonly MaterialReading[]): void {
    for (const { name, value, problem } of readings) {
      this.#note(name, problem);
      if (value !== null) this.#texts.set(name, value);
    }
    const tls = this.#join();
    const { cert, key, clientCa } = this.#tls;
    if (tls.cert === cert && tls.key === key && tls.clientCa === clientCa) return;
    this.#tls = tls;
    this.#use(tls);
  }

  #use(tls: AdminTls): void {
    try {
      this.#renew(tls);
      this.#logger.info({ file: this.#files.certFile }, 'the certificate of the admin listener was renewed');
    } catch (error) {
      const problem = `${describe(this.#files)}: ${(error as Error).message}`;
      this.#logger.error({ problem }, 'the admin listener keeps its former certificate');
    }
  }

  /** A file that is gone is looked at again and again; that is said once. */
  #note(name: string, problem: string | null): void {
    if (problem === null) this.#problems.delete(name);
    else if (this.#problems.get(name) !== problem) {
      this.#problems.set(name, problem);
      this.#logger.error({ problem }, 'the admin listener keeps its former certificate');
    }
  }
}

async function readAll({ certFile, keyFile, clientCaFile }: AdminTlsFiles): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of [certFile, keyFile, clientCaFile]) {
    if (path === null) continue;
    const file = new MaterialFile(nameOf(path), path);
    const problem = await file.read();
    if (file.content === null) throw new SettingsError(`TLS of --admin: ${problem}`);
    texts.set(file.name, file.content);
  }
  return texts;
}

function nameOf(path: string): string {
  return `file:${path}`;
}

function describe({ certFile, keyFile, clientCaFile }: AdminTlsFiles): string {
  const files = clientCaFile === null ? [certFile, keyFile] : [certFile, keyFile, clientCaFile];
  return `TLS of --admin with ${files.join(', ')}`;
}
