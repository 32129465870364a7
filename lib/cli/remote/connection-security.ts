/** How commands see to it that they talk to the right gateway, and that nobody listens. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { isLoopbackHost } from '../../core/config/destination-url.ts';
import { checkPair, splitCertificates } from '../../net/pem.ts';
import { fileError } from '../../store/file-error.ts';

/** PEM files, by the names of the flags. */
export interface ClientTlsOptions {
  readonly adminCa?: string;
  readonly adminCert?: string;
  readonly adminKey?: string;
}

/** @throws Error where a file cannot be read or used, or one is missing */
export function readClientTls({ adminCa, adminCert, adminKey }: ClientTlsOptions): ConnectionOptions {
  // An empty variable is one that is not set.
  return { ...readAuthorities(adminCa || null), ...readOwnPair(adminCert || null, adminKey || null) };
}

function readAuthorities(file: string | null): { ca?: string[] } {
  if (file === null) return {};
  const text = read(file, '--admin-ca');
  try {
    return { ca: splitCertificates(text) };
  } catch (error) {
    throw new Error(`--admin-ca: ${fileError('use', file, error).message}`);
  }
}

function readOwnPair(certFile: string | null, keyFile: string | null): { cert?: string; key?: string } {
  if (certFile === null && keyFile === null) return {};
  if (certFile === null || keyFile === null)
    throw new RangeError('--admin-cert and --admin-key belong together: give both or none');
  const pair = { cert: read(certFile, '--admin-cert'), key: read(keyFile, '--admin-key') };
  try {
    checkPair(pair);
    return pair;
  } catch (error) {
    throw new Error(
      `--admin-cert ${certFile} with --admin-key ${keyFile} cannot be used: ${(error as Error).message}`,
    );
  }
}

function read(file: string, flag: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${flag}: ${fileError('read', file, error).message}`);
  }
}

/** @throws RangeError where a token would be readable on its way */
export function checkSecrecy(url: URL, allowInsecure: boolean): void {
  if (url.protocol === 'https:' || isLoopbackHost(url.hostname) || allowInsecure) return;
  throw new RangeError(
    `--admin-url ${url.origin}: others could read the token on its way: use https (gateway start --admin-tls-cert), or add --allow-insecure`,
  );
}

/** Says what went wrong with a connection in terms of TLS, and how to mend it; null where it was something else. */
export function explainTlsFailure({ origin, protocol }: URL, error: NodeJS.ErrnoException): string | null {
  const { code = '', message } = error;
  if (protocol === 'http:') {
    if (code !== 'ECONNRESET' && !code.startsWith('HPE_')) return null;
    return `what is at ${origin} does not answer HTTP (${code}): if the gateway has --admin-tls-cert, give https:// in --admin-url`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `the certificate at ${origin} is for another name: give one of its names in --admin-url (${message})`;
  if (code === 'CERT_HAS_EXPIRED') return `the certificate at ${origin} has expired: renew it`;
  if (isUntrusted(code))
    return `the certificate at ${origin} is not trusted (${code}): give the authority that signed it, with --admin-ca or GATEWAY_ADMIN_CA`;
  if (code.includes('_ALERT_') || code === 'ECONNRESET')
    return `${origin} hung up (${code}): it may want a client certificate, with --admin-cert and --admin-key`;
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return `what is at ${origin} does not speak TLS (${code}): give the address of --admin; https:// is for a gateway with --admin-tls-cert`;
  return null;
}

/** Codes of OpenSSL's verification. */
function isUntrusted(code: string): boolean {
  return code.includes('SELF_SIGNED_CERT') || code.startsWith('UNABLE_TO_') || code.startsWith('CERT_');
}
