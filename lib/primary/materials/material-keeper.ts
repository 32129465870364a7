import type { Logger } from 'pino';
import type { MaterialProblem } from '../../admin/control-plane.ts';
import type { Operation, PutOperation } from '../../core/config/change.ts';
import type { Configuration } from '../../core/config/model.ts';
import { AddressSet } from '../../core/policy/address-ranges.ts';
import { type CertificateExpiry, CertificateWatch } from './certificate-watch.ts';
import { FileMaterials } from './file-materials.ts';
import { KeySetMaterials } from './key-set-materials.ts';
import { findMisfits, type Misfit } from './material-fit.ts';
import { MaterialGroups } from './material-groups.ts';
import type { MaterialNews } from './material-news.ts';
import { type MaterialReading, type MaterialSource, shownName } from './material-source.ts';
import { MaterialUsers } from './material-users.ts';
import { VariableMaterials } from './variable-materials.ts';

/**
 * What no entry needs any more stays for this long. A worker applies changes later than the primary, and folded
 * together: it must not lose what an entry needs again by then.
 */
const LINGER_MS = 60_000;
const MAX_SHOWN_PROBLEMS = 100;
const MAX_LOGGED = 20;

export interface MaterialSettings {
  /** Fetched keys are saved there. */
  readonly stateDirectory: string;
  /** Ranges of restricted addresses that keys may be fetched from all the same. */
  readonly allowedAddresses: readonly string[];
  /** Where materials that are variables come from; the process's own unless given. */
  readonly environment?: Readonly<NodeJS.ProcessEnv>;
  /** How often files are looked at; 2 s unless given. */
  readonly pollIntervalMs?: number;
  /** How long what is not needed any more stays; a minute unless given. */
  readonly lingerMs?: number;
}

/** How many materials there are, by how they are. */
export interface MaterialCounts {
  readonly current: number;
  /** There is a value, and it may be out of date. */
  readonly stale: number;
  readonly missing: number;
}

interface HeldMaterial {
  /** What its source said last; null until it has said something. */
  reading: MaterialReading | null;
  /** What the workers have; undefined until its source has said something. */
  value: string | null | undefined;
  problem: string | null;
  /** Since when there has been a problem. */
  since: string;
}

const NOTHING_HELD: HeldMaterial = { reading: null, value: undefined, problem: null, since: '' };

/**
 * Gets the materials that the configuration needs, and brings them to the workers: as soon as they are there,
 * whenever they change, and null as soon as one cannot be got.
 */
export class MaterialKeeper {
  readonly #publish: (news: readonly MaterialNews[]) => void;
  readonly #logger: Logger;
  readonly #lingerMs: number;
  readonly #users = new MaterialUsers();
  readonly #groups = new MaterialGroups();
  readonly #certificates: CertificateWatch;
  readonly #keySets: KeySetMaterials;
  /** By what their names begin with. */
  readonly #sources: ReadonlyMap<string, MaterialSource>;
  readonly #held = new Map<string, HeldMaterial>();
  /** Those that no entry needs any more. */
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  #begun = false;

  /** @param publish tells the workers */
  constructor(settings: MaterialSettings, publish: (news: readonly MaterialNews[]) => void, logger: Logger) {
    const { stateDirectory, allowedAddresses, pollIntervalMs, lingerMs } = settings;
    this.#publish = publish;
    this.#logger = logger;
    this.#lingerMs = lingerMs ?? LINGER_MS;
    this.#certificates = new CertificateWatch(logger);
    const take = (readings: readonly MaterialReading[]): void => this.#take(readings);
    this.#keySets = new KeySetMaterials({
      stateDirectory,
      allowed: new AddressSet(allowedAddresses),
      graceSec: (name) => this.#users.graceSec(name),
      take,
      logger,
    });
    this.#sources = new Map<string, MaterialSource>([
      ['file', new FileMaterials(take, pollIntervalMs)],
      ['env', new VariableMaterials(settings.environment ?? process.env, take)],
      ['jwks', this.#keySets],
    ]);
  }

  /** Begins to get what a whole configuration needs; what becomes of it is told as changes. */
  begin(configuration: Configuration): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#apply(putsOf(configuration));
    void this.#keySets.tidy();
  }

  /** The configuration changes so. Before the beginning that has all there is to say. */
  change(operations: readonly Operation[]): void {
    if (this.#begun) this.#apply(operations);
  }

  #apply(operations: readonly Operation[]): void {
    const { added, dropped } = this.#users.change(operations);
    const regrouped = this.#groups.change(operations);
    for (const name of dropped) this.#dropLater(name);
    this.#certificates.change(operations, (name) => this.#held.get(name)?.value ?? null);
    const fresh = added.filter((name) => !this.#keepLeaving(name));
    for (const name of fresh) this.#held.set(name, { ...NOTHING_HELD });
    for (const [kind, source] of this.#sources) {
      const names = fresh.filter((name) => name.startsWith(`${kind}:`));
      if (names.length > 0) source.add(names);
    }
    this.#review(regrouped);
  }

  #dropLater(name: string): void {
    const drop = (): void => {
      this.#leaving.delete(name);
      this.#held.delete(name);
      this.#sourceOf(name)?.remove(name);
      this.#publish([{ name, value: undefined }]);
    };
    this.#leaving.set(name, setTimeout(drop, this.#lingerMs).unref());
  }

  #keepLeaving(name: string): boolean {
    clearTimeout(this.#leaving.get(name));
    return this.#leaving.delete(name);
  }

  #sourceOf(name: string): MaterialSource | undefined {
    return this.#sources.get(name.slice(0, name.indexOf(':')));
  }

  /**
   * Asks for what is newer. Resolves when that has been published, or there is nothing newer for now: true where
   * the material was got anew since the call.
   */
  async refresh(name: string): Promise<boolean> {
    return this.#held.has(name) && ((await this.#sourceOf(name)?.refresh(name)) ?? false);
  }

  #take(readings: readonly MaterialReading[]): void {
    for (const reading of readings) {
      const held = this.#held.get(reading.name);
      if (held !== undefined) held.reading = reading;
    }
    this.#review(readings.map(({ name }) => name));
  }

  /** Looks at what these materials are now, and at what has to fit them: only what fits takes the place of what did. */
  #review(names: Iterable<string>): void {
    const groups = this.#groups.around(names);
    const concerned = new Set(names);
    for (const group of groups) for (const name of group.names) concerned.add(name);
    const misfits = findMisfits(groups, (name) => {
      const { value, reading } = this.#held.get(name) ?? NOTHING_HELD;
      return { former: value, offered: reading?.value };
    });
    const readings: MaterialReading[] = [];
    for (const name of concerned) {
      const { value, reading } = this.#held.get(name) ?? NOTHING_HELD;
      if (reading !== null) readings.push(fittingPart(reading, value ?? null, misfits.get(name)));
    }
    this.#tell(readings);
  }

  #tell(readings: readonly MaterialReading[]): void {
    const news: MaterialNews[] = [];
    const changed: string[] = [];
    const failed: MaterialReading[] = [];
    const mended: string[] = [];
    for (const reading of readings) {
      const { name, value, problem } = reading;
      const held = this.#held.get(name);
      if (held === undefined) continue;
      if (held.value !== value) news.push({ name, value });
      if (typeof held.value === 'string' && typeof value === 'string' && held.value !== value)
        changed.push(name);
      if (problem !== null && problem !== held.problem) failed.push(reading);
      if (problem === null && held.problem !== null) mended.push(name);
      note(held, reading);
    }
    if (news.length > 0) this.#publish(news);
    this.#log(changed, mended, failed);
    for (const { name, value } of news) this.#certificates.take(name, value ?? null);
  }

  #log(changed: readonly string[], mended: readonly string[], failed: readonly MaterialReading[]): void {
    const logger = this.#logger;
    if (changed.length > 0) logger.info(listed(changed), 'materials have changed');
    if (mended.length > 0) logger.info(listed(mended), 'materials can be got again');
    if (failed.length === 0) return;
    const problems = failed.slice(0, MAX_LOGGED).map(({ name, problem }) => `${shownName(name)}: ${problem}`);
    const isStale = failed.every(({ value }) => value !== null);
    const details = { problems, count: failed.length };
    if (isStale) logger.warn(details, 'materials cannot be got anew: the former ones stay in use');
    else logger.error(details, 'materials cannot be got: what needs them cannot be served');
  }

  /** Those with a problem, up to a hundred. */
  problems(): readonly MaterialProblem[] {
    const problems: MaterialProblem[] = [];
    for (const [name, { problem, since }] of this.#held) {
      if (problem === null || this.#leaving.has(name)) continue;
      problems.push({ name: shownName(name), problem, since });
      if (problems.length === MAX_SHOWN_PROBLEMS) break;
    }
    return problems;
  }

  counts(): MaterialCounts {
    const counts = { current: 0, stale: 0, missing: 0 };
    for (const [name, { value, problem }] of this.#held) {
      if (value === undefined || this.#leaving.has(name)) continue;
      if (value === null) counts.missing += 1;
      else if (problem === null) counts.current += 1;
      else counts.stale += 1;
    }
    return counts;
  }

  /** The admin listener shows this certificate from now on: its end is watched with the others'. */
  takeAdminCertificate(cert: string): void {
    this.#certificates.takeAdmin(cert);
  }

  certificateExpiries(): Iterable<CertificateExpiry> {
    return this.#certificates.expiries();
  }

  close(): void {
    this.#certificates.close();
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    for (const source of this.#sources.values()) source.close();
  }
}

/** The entries that may need materials: of a large table that is far from all. */
function putsOf({ issuers, certificates, clusters }: Configuration): PutOperation[] {
  const puts: PutOperation[] = [];
  for (const [id, value] of issuers) puts.push({ op: 'put', kind: 'issuer', id, value });
  for (const [id, value] of certificates) puts.push({ op: 'put', kind: 'certificate', id, value });
  for (const [id, value] of clusters) {
    if (value.tls !== undefined) puts.push({ op: 'put', kind: 'cluster', id, value });
  }
  return puts;
}

/** What of a reading the workers may have. */
function fittingPart(
  reading: MaterialReading,
  former: string | null,
  misfit: Misfit | undefined,
): MaterialReading {
  if (misfit === undefined) return reading;
  const { problem, staysFormer } = misfit;
  return { name: reading.name, value: staysFormer ? former : null, problem: reading.problem ?? problem };
}

function note(held: HeldMaterial, { value, problem }: MaterialReading): void {
  if (problem !== null && held.problem === null) held.since = new Date().toISOString();
  held.value = value;
  held.problem = problem;
}

function listed(names: readonly string[]): { materials: string[]; count: number } {
  return { materials: names.slice(0, MAX_LOGGED).map(shownName), count: names.length };
}
