/** What a client's certificate says of the client, in a form that is safe in a header. */
import type { X509Certificate } from 'node:crypto';
import type { ClientCertificateFact } from '../../core/config/model.ts';

/** Null where the certificate does not say it. */
export type ClientCertificateFacts = Readonly<Record<ClientCertificateFact, string | null>>;

/**
 * Names are written as RFC 4514 does it, all beyond ASCII as `\XX`: the text is unambiguous, whatever is in
 * the certificate, and has nothing that a header could not hold. `fingerprint` is the SHA-256 in lower case.
 */
export function readClientCertificate(certificate: X509Certificate): ClientCertificateFacts {
  return {
    subject: distinguishedName(certificate.subject) || null,
    commonName: commonNameOf(certificate.subject),
    issuer: distinguishedName(certificate.issuer) || null,
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/**
 * Node writes a name as the certificate has it, an RDN a line, values escaped as RFC 2253 says, several
 * attributes of one RDN joined by ` + `, which no value can hold as its `+` is escaped. RFC 4514 §2.1 begins
 * with the last RDN.
 */
function distinguishedName(name: string | undefined): string {
  const lines = (name ?? '').split('\n').reverse();
  return asciiOf(lines.join(',').replaceAll(' + ', '+'));
}

/** The last of them, which is the most specific. */
function commonNameOf(name: string | undefined): string | null {
  const attributes = (name ?? '').split(/\n| \+ /);
  const last = attributes.findLast((attribute) => attribute.startsWith('CN='));
  return last === undefined || last.length === 3 ? null : asciiOf(last.slice(3));
}

/** RFC 4514 §2.4 lets any octet of the UTF-8 be written as `\XX`. */
function asciiOf(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (character) => {
    const hex = Buffer.from(character).toString('hex').toUpperCase();
    return hex.replace(/../g, '\\$&');
  });
}
