import { ConsumerIndex } from '../auth/consumer-index.ts';
import type { Materials } from '../auth/materials.ts';
import { TokenIssuer } from '../auth/token-issuer.ts';
import type { Operation } from '../core/config/change.ts';
import { type ContentFingerprint, hashEntry } from '../core/config/fingerprint.ts';
import { IdentityHeaders } from '../core/http/identity-headers.ts';
import { CertificateIndex } from './tls/certificate-index.ts';

/** Whom requests are trusted for: the issuers, consumers and certificates of one table. */
export class TrustTable {
  readonly certificates: CertificateIndex;
  readonly consumers = new ConsumerIndex();
  readonly #issuers = new Map<string, TokenIssuer>();
  readonly #materials: Materials;
  readonly #fingerprint: ContentFingerprint;
  readonly #hashes = new Map<string, number>();
  /** Null where an entry has changed since they were put together. */
  #identityHeaders: IdentityHeaders | null = null;

  /** @param fingerprint of the table, which this adds its entries to */
  constructor(fingerprint: ContentFingerprint, materials: Materials) {
    this.#fingerprint = fingerprint;
    this.#materials = materials;
    this.certificates = new CertificateIndex(materials);
  }

  issuer(id: string): TokenIssuer | undefined {
    return this.#issuers.get(id);
  }

  /** The fields that no client may send, on any route. */
  get identityHeaders(): IdentityHeaders {
    this.#identityHeaders ??= new IdentityHeaders(this.#listIdentityHeaders());
    return this.#identityHeaders;
  }

  *#listIdentityHeaders(): Generator<string, void> {
    yield* this.certificates.headerNames;
    for (const { claimHeaders } of this.#issuers.values()) for (const [header] of claimHeaders) yield header;
  }

  /** Takes an operation on an entry of one of these kinds; those on others are none of its business. */
  change(operation: Operation): void {
    this.#identityHeaders = null;
    this.#noteHash(operation);
    const { op, kind, id } = operation;
    if (kind === 'issuer') {
      if (op === 'put') this.#issuers.set(id, new TokenIssuer(id, operation.value, this.#materials));
      else this.#issuers.delete(id);
    } else if (kind === 'consumer') {
      if (op === 'put') this.consumers.put(id, operation.value);
      else this.consumers.delete(id);
    } else if (kind === 'certificate') {
      if (op === 'put') this.certificates.put(id, operation.value);
      else this.certificates.delete(id);
    }
  }

  #noteHash(operation: Operation): void {
    const key = `${operation.kind} ${operation.id}`;
    const before = this.#hashes.get(key);
    if (before !== undefined) this.#fingerprint.remove(before);
    this.#hashes.delete(key);
    if (operation.op === 'delete') return;
    const hash = hashEntry(operation.kind, operation.id, operation.value);
    this.#hashes.set(key, hash);
    this.#fingerprint.add(hash);
  }

  /** Takes over all that another table holds, into this empty one. */
  *copy(other: TrustTable): Generator<undefined, void> {
    for (const [key, hash] of other.#hashes) {
      this.#hashes.set(key, hash);
      this.#fingerprint.add(hash);
      yield;
    }
    for (const [id, issuer] of other.#issuers) {
      this.#issuers.set(id, issuer);
      yield;
    }
    yield* this.consumers.copy(other.consumers);
    yield* this.certificates.copy(other.certificates);
  }
}
