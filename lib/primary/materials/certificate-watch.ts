import { X509Certificate } from 'node:crypto';
import type { Logger } from 'pino';
import type { Operation } from '../../core/config/change.ts';
import { materialName } from '../../core/config/material-names.ts';
import { type WarningDays, warningDueAt } from '../../core/policy/certificate-warning.ts';

const MAX_LOGGED_CERTIFICATES = 20;
const CHECK_INTERVAL_MS = 3_600_000;
/** Certificates that come one after the other are looked at together. */
const CHECK_DELAY_MS = 1_000;

/** A certificate of the listener. */
interface Watched {
  /** The material that it is in. */
  readonly material: string;
  /** Null while it is not there, or is no certificate. */
  expiresAtMs: number | null;
  /** The last warning that was given for it. */
  warned: WarningDays | null;
}

/** When the certificates of the listener expire, by host; it warns in time, 30, 7 and 1 days before. */
export class CertificateWatch {
  readonly #logger: Logger;
  readonly #hosts = new Map<string, Watched>();
  /** The hosts whose certificate is in a material. */
  readonly #hostsByMaterial = new Map<string, Set<string>>();

  readonly #interval: NodeJS.Timeout;
  #timer: NodeJS.Timeout | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#interval = setInterval(() => this.#warn(Date.now()), CHECK_INTERVAL_MS).unref();
  }

  /** @param readValue what is known of a material */
  change(operations: Iterable<Operation>, readValue: (material: string) => string | null): void {
    for (const operation of operations) {
      if (operation.kind !== 'certificate') continue;
      this.#remove(operation.id);
      if (operation.op === 'put') this.#add(operation.id, operation.value, readValue);
    }
  }

  #add(
    host: string,
    { certFile, certEnv }: { certFile?: string; certEnv?: string },
    readValue: (material: string) => string | null,
  ): void {
    const material = materialName(certFile, certEnv);
    if (material === null) return;
    this.#hosts.set(host, { material, expiresAtMs: expiryOf(readValue(material)), warned: null });
    this.#warnSoon();
    const hosts = this.#hostsByMaterial.get(material) ?? new Set<string>();
    this.#hostsByMaterial.set(material, hosts.add(host));
  }

  #remove(host: string): void {
    const watched = this.#hosts.get(host);
    if (watched === undefined) return;
    this.#hosts.delete(host);
    const hosts = this.#hostsByMaterial.get(watched.material);
    hosts?.delete(host);
    if (hosts?.size === 0) this.#hostsByMaterial.delete(watched.material);
  }

  /** A material has this value from now on. */
  take(material: string, value: string | null): void {
    const hosts = this.#hostsByMaterial.get(material);
    if (hosts === undefined) return;
    const expiresAtMs = expiryOf(value);
    for (const host of hosts) this.#hosts.set(host, { material, expiresAtMs, warned: null });
    this.#warnSoon();
  }

  /** The ends of those certificates that are there: host, and ms of the wall clock. */
  *expiries(): Generator<readonly [host: string, expiresAtMs: number]> {
    for (const [host, { expiresAtMs }] of this.#hosts) {
      if (expiresAtMs !== null) yield [host, expiresAtMs];
    }
  }

  close(): void {
    clearInterval(this.#interval);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #warnSoon(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#warn(Date.now());
    }, CHECK_DELAY_MS).unref();
  }

  /** Gives the warnings that are due, each once. */
  #warn(nowMs: number): void {
    const due: { host: string; expiresAt: string }[] = [];
    let hasExpired = false;
    for (const [host, watched] of this.#hosts) {
      const { expiresAtMs, warned } = watched;
      const days = expiresAtMs === null ? null : warningDueAt(expiresAtMs, nowMs);
      if (expiresAtMs === null || days === null || days === warned) continue;
      watched.warned = days;
      due.push({ host, expiresAt: new Date(expiresAtMs).toISOString() });
      hasExpired ||= days === 0;
    }
    if (due.length === 0) return;
    const details = { certificates: due.slice(0, MAX_LOGGED_CERTIFICATES), count: due.length };
    if (hasExpired) this.#logger.error(details, 'certificates have expired');
    else this.#logger.warn(details, 'certificates will expire');
  }
}

/** Of the first certificate, which is the server's own; null where it is none: the workers say what is wrong. */
function expiryOf(value: string | null): number | null {
  if (value === null) return null;
  try {
    const expiresAtMs = new X509Certificate(value).validToDate.getTime();
    return Number.isFinite(expiresAtMs) ? expiresAtMs : null;
  } catch {
    return null;
  }
}
