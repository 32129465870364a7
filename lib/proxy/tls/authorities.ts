import { X509Certificate } from 'node:crypto';
import { splitCertificates } from '../../net/pem.ts';

/** The certificate authorities that client certificates are verified with. */
export class Authorities {
  /** PEM, one certificate each. */
  readonly certificates: readonly string[];
  readonly #fingerprints: ReadonlySet<string>;

  /**
   * @param pem any number of certificates; text between them is passed over
   * @throws Error where there is none, or one cannot be read
   */
  constructor(pem: string) {
    this.certificates = splitCertificates(pem);
    this.#fingerprints = new Set(this.certificates.map((text) => new X509Certificate(text).fingerprint256));
  }

  /** Whether all these others are among them. */
  include(others: Authorities): boolean {
    if (this === others) return true;
    for (const fingerprint of others.#fingerprints) if (!this.#fingerprints.has(fingerprint)) return false;
    return true;
  }
}
