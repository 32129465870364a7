import { X509Certificate } from 'node:crypto';
import type { Logger } from 'pino';
import type { Operation } from '../../core/config/change.ts';
import { materialName } from '../../core/config/material-names.ts';
import type { Certificate } from '../../core/config/model.ts';
import { type WarningDays, warningDueAt } from '../../core/policy/certificate-warning.ts';

const MAX_LOGGED_CERTIFICATES = 20;
const CHECK_INTERVAL_MS = 3_600_000;
const NO_PAIR: Pick<Certificate, 'certFile' | 'certEnv'> = {};
/** Certificates that come one after the other are looked at together. */
const CHECK_DELAY_MS = 1_000;

/** Whose certificate it is: a host's of the listener, a cluster's that it shows to origins, or that of --admin. */
export interface CertificateOwner {
  readonly kind: 'certificate' | 'cluster' | 'admin';
  /** The host, or the cluster; empty for --admin. */
  readonly id: string;
}

/** A certificate, and when it ends, in ms of the wall clock. */
export interface CertificateExpiry extends CertificateOwner {
  readonly expiresAtMs: number;
}

interface Watched extends CertificateOwner {
  /** The material that it is in; null for that of --admin, which is none. */
  readonly material: string | null;
  /** Null while it is not there, or is no certificate. */
  expiresAtMs: number | null;
  /** The last warning that was given for it. */
  warned: WarningDays | null;
}

/** When the gateway's certificates expire; it warns in time, 30, 7 and 1 days before. */
export class CertificateWatch {
  readonly #logger: Logger;
  /** By kind and id of the owner. */
  readonly #watched = new Map<string, Watched>();
  /** Those that are in a material. */
  readonly #watchedByMaterial = new Map<string, Set<Watched>>();

  readonly #interval: NodeJS.Timeout;
  #timer: NodeJS.Timeout | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#interval = setInterval(() => this.#warn(Date.now()), CHECK_INTERVAL_MS).unref();
  }

  /** @param readValue what is known of a material */
  change(operations: Iterable<Operation>, readValue: (material: string) => string | null): void {
    for (const operation of operations) {
      const { kind, id } = operation;
      if (kind !== 'certificate' && kind !== 'cluster') continue;
      this.#remove({ kind, id });
      const material = certificateMaterialOf(operation);
      if (material !== null) this.#add({ kind, id }, material, readValue(material));
    }
  }

  /** The admin listener shows this certificate from now on, in PEM. */
  takeAdmin(cert: string): void {
    this.#add({ kind: 'admin', id: '' }, null, cert);
  }

  #add({ kind, id }: CertificateOwner, material: string | null, value: string | null): void {
    const watched: Watched = { kind, id, material, expiresAtMs: expiryOf(value), warned: null };
    this.#watched.set(keyOf(watched), watched);
    this.#warnSoon();
    if (material === null) return;
    const others = this.#watchedByMaterial.get(material) ?? new Set<Watched>();
    this.#watchedByMaterial.set(material, others.add(watched));
  }

  #remove(owner: CertificateOwner): void {
    const watched = this.#watched.get(keyOf(owner));
    if (watched === undefined) return;
    this.#watched.delete(keyOf(owner));
    const material = watched.material ?? '';
    const others = this.#watchedByMaterial.get(material);
    others?.delete(watched);
    if (others?.size === 0) this.#watchedByMaterial.delete(material);
  }

  /** A material has this value from now on. */
  take(material: string, value: string | null): void {
    const all = this.#watchedByMaterial.get(material);
    if (all === undefined) return;
    const expiresAtMs = expiryOf(value);
    for (const watched of all) {
      watched.expiresAtMs = expiresAtMs;
      watched.warned = null;
    }
    this.#warnSoon();
  }

  /** The ends of those certificates that are there. */
  *expiries(): Generator<CertificateExpiry> {
    for (const { kind, id, expiresAtMs } of this.#watched.values()) {
      if (expiresAtMs !== null) yield { kind, id, expiresAtMs };
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
    const due: (CertificateOwner & { readonly expiresAt: string })[] = [];
    let hasExpired = false;
    for (const watched of this.#watched.values()) {
      const { kind, id, expiresAtMs, warned } = watched;
      const days = expiresAtMs === null ? null : warningDueAt(expiresAtMs, nowMs);
      if (expiresAtMs === null || days === null || days === warned) continue;
      watched.warned = days;
      due.push({ kind, id, expiresAt: new Date(expiresAtMs).toISOString() });
      hasExpired ||= days === 0;
    }
    if (due.length === 0) return;
    const details = { certificates: due.slice(0, MAX_LOGGED_CERTIFICATES), count: due.length };
    if (hasExpired) this.#logger.error(details, 'certificates have expired');
    else this.#logger.warn(details, 'certificates will expire');
  }
}

function keyOf({ kind, id }: CertificateOwner): string {
  return `${kind} ${id}`;
}

function certificateMaterialOf(operation: Operation): string | null {
  if (operation.op === 'delete') return null;
  const { certFile, certEnv } =
    operation.kind === 'cluster' ? (operation.value.tls ?? NO_PAIR) : (operation.value as Certificate);
  return materialName(certFile, certEnv);
}

/** Of the first certificate, which is the own one; null where there is none. */
function expiryOf(value: string | null): number | null {
  if (value === null) return null;
  try {
    const expiresAtMs = new X509Certificate(value).validToDate.getTime();
    return Number.isFinite(expiresAtMs) ? expiresAtMs : null;
  } catch {
    return null;
  }
}
