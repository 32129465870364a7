/**
 * Client certificates are asked for by the server name of a connection, but a request says in Host whom it is
 * for, and the two may differ. So what a host demands is checked again at every request for it.
 */
import { ERRORS } from '../../core/errors.ts';
import type { ClientConnection } from '../client-connection.ts';
import { type PolicyRefusal, refuse } from '../policies/verdict.ts';
import type { CertificateIndex } from './certificate-index.ts';

const NO_HEADERS: readonly string[] = [];

/**
 * Refuses a request for a host that requires client certificates where its connection was not made for that
 * host with a valid one, be it over TLS or not (421, RFC 9110 §15.5.20). Only needed where the index asks for
 * client certificates at all.
 * @param host as admission canonicalised it
 */
export function guardClientCertificate(
  certificates: CertificateIndex,
  connection: ClientConnection,
  host: string,
): PolicyRefusal | null {
  for (const certificate of certificates.governing(host)) {
    if (certificate.clientCertificate?.mode === 'required' && !connection.isVerifiedFor(certificate))
      return refuse(ERRORS.misdirected);
  }
  return null;
}

/**
 * The headers that the origin of a host gets from the client's certificate, flat; none where there is no valid
 * one for this very host. The client's own headers of these names (`CertificateIndex.headerNames`) are removed elsewhere.
 */
export function clientCertificateHeaders(
  certificates: CertificateIndex,
  connection: ClientConnection,
  host: string,
): readonly string[] {
  const certificate = certificates.find(host);
  const facts = connection.clientCertificate;
  if (certificate === null || facts === null || !connection.isVerifiedFor(certificate)) return NO_HEADERS;
  const headers: string[] = [];
  for (const [name, fact] of Object.entries(certificate.clientCertificate?.headers ?? {})) {
    const value = facts[fact];
    if (value !== null) headers.push(name, value);
  }
  return headers;
}
