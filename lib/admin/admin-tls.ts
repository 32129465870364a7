/** How the admin listener speaks TLS. */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { checkPair, splitCertificates } from '../net/pem.ts';

/** What the listener shows, and whose clients it lets in; texts in PEM. */
export interface AdminTls {
  readonly cert: string;
  readonly key: string;
  /** The authorities that client certificates are verified with; null where none is asked for. */
  readonly clientCa: string | null;
}

/**
 * Nothing is resumed: handshakes are few here, and a resumed session would bring a certificate back that is not
 * trusted any more.
 * @throws Error where one of the texts cannot be used
 */
export function adminContextOptions({ cert, key, clientCa }: AdminTls): SecureContextOptions {
  checkPair({ cert, key });
  return {
    cert,
    key,
    // An empty list: otherwise a client of any authority in the world would do.
    ca: clientCa === null ? [] : splitCertificates(clientCa),
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
  };
}
