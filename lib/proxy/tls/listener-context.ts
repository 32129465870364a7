/** How the gateway speaks TLS with clients: one place for versions, ciphers and resumption. */
import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Certificate } from '../../core/config/model.ts';
import { checkPair, type PemPair } from '../../net/pem.ts';
import type { Authorities } from './authorities.ts';

/** TLS 1.3, then Mozilla's "intermediate" without its DHE suites: slow, and DHEat (CVE-2002-20001) makes them a lever. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
/** The first is X25519 with a part that quantum computers do not break, which current browsers offer. */
const CURVES = 'X25519MLKEM768:X25519:prime256v1:secp384r1';
const SESSION_LIFETIME_SEC = 300;
/** OpenSSL's limit on what sets the sessions of one context apart. */
const SESSION_CONTEXT_CHARACTERS = 32;

export interface ListenerContextOptions {
  /** The id of the entry: sessions are only resumed with the one that they began with. */
  readonly id: string;
  readonly pair: PemPair;
  readonly minVersion: NonNullable<Certificate['minVersion']>;
  /** Null where no client certificate is asked for. */
  readonly authorities: Authorities | null;
  /** 48 bytes in base64, the same in all workers; null: keys of this context's own. */
  readonly ticketKeys: string | null;
}

/**
 * Sessions are resumed by tickets alone, so that any worker can; there is no cache of them. Where client
 * certificates are asked for nothing is resumed: a resumed session shows no certificate, and what one host has
 * verified must not be good at another (CVE-2025-23419).
 * @throws Error where the pair cannot be read, or does not fit together
 */
export function createListenerContext(options: ListenerContextOptions): SecureContext {
  const { id, pair, minVersion, authorities, ticketKeys } = options;
  checkPair(pair);
  const { SSL_OP_NO_RENEGOTIATION, SSL_OP_NO_TICKET } = constants;
  return createSecureContext({
    ...pair,
    // An empty list spares reading all authorities of the system, which nothing is verified with here.
    ca: [...(authorities?.certificates ?? [])],
    minVersion,
    ciphers: CIPHERS,
    honorCipherOrder: true,
    ecdhCurve: CURVES,
    secureOptions: SSL_OP_NO_RENEGOTIATION | (authorities === null ? 0 : SSL_OP_NO_TICKET),
    sessionIdContext: sessionContextOf(id),
    sessionTimeout: SESSION_LIFETIME_SEC,
    ...(ticketKeys === null ? {} : { ticketKeys: Buffer.from(ticketKeys, 'base64') }),
  });
}

function sessionContextOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, SESSION_CONTEXT_CHARACTERS);
}
