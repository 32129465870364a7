/** Settings of `gateway start`: TLS on the admin listener. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AdminTlsFiles } from '../primary/gateway-settings.ts';

/** What commander hands over, by the long names of the flags. */
export interface AdminTlsOptions {
  adminTlsCert?: string;
  adminTlsKey?: string;
  adminTlsClientCa?: string;
}

export function addAdminTlsOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--admin-tls-cert <file>', 'certificate and chain for TLS on --admin, in PEM').env(
        'GATEWAY_ADMIN_TLS_CERT',
      ),
    )
    .addOption(
      new Option('--admin-tls-key <file>', 'private key of that certificate, in PEM').env(
        'GATEWAY_ADMIN_TLS_KEY',
      ),
    )
    .addOption(
      new Option(
        '--admin-tls-client-ca <file>',
        'authorities of client certificates, in PEM: the API then needs one beside the token, probes do not',
      ).env('GATEWAY_ADMIN_TLS_CLIENT_CA'),
    );
}

/**
 * Null where the admin listener is to speak plain HTTP. An empty variable is one that is not set.
 * @throws InvalidArgumentError where a flag is without the one that belongs to it
 */
export function adminTlsOf(options: AdminTlsOptions): AdminTlsFiles | null {
  const certFile = options.adminTlsCert || null;
  const keyFile = options.adminTlsKey || null;
  const clientCaFile = options.adminTlsClientCa || null;
  if (certFile !== null && keyFile !== null) return { certFile, keyFile, clientCaFile };
  if (certFile === null && keyFile === null && clientCaFile === null) return null;
  const what = clientCaFile === null ? 'belong together' : 'are needed for --admin-tls-client-ca';
  throw new InvalidArgumentError(`--admin-tls-cert and --admin-tls-key ${what}: give both`);
}
