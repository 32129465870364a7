/** Keys and certificates in PEM (RFC 7468), as people put them into files. */
import { createPrivateKey, X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A certificate with its chain, and the private key of the first. */
export interface PemPair {
  readonly cert: string;
  readonly key: string;
}

/**
 * OpenSSL itself takes a certificate and a key of different kinds for the halves of two pairs.
 * @throws Error where one of them cannot be read, or they do not belong together
 */
export function checkPair({ cert, key }: PemPair): void {
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new Error('the key is not that of the certificate');
}

/**
 * OpenSSL itself passes over what it cannot read in a list of authorities, and then trusts fewer or none.
 * @returns each certificate by itself; text between them is passed over
 * @throws Error where there is none, or one cannot be read
 */
export function splitCertificates(pem: string): string[] {
  const certificates = pem.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Error('there is no certificate in it');
  for (const certificate of certificates) new X509Certificate(certificate);
  return certificates;
}
