import type { Logger } from 'pino';
import type { Authenticator } from '../auth/authenticator.ts';
import { openAuthenticator } from '../auth/open-authenticator.ts';
import { openStateDirectory } from '../store/state-directory.ts';
import { AdminCertificate } from './admin-certificate.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { type OpenedStore, openStore } from './open-store.ts';

/** What a gateway holds from its beginning to its end. */
export interface OpenedResources {
  readonly opened: OpenedStore;
  readonly authenticator: Authenticator;
  /** Null where the admin listener speaks plain HTTP. */
  readonly adminCertificate: AdminCertificate | null;
}

/**
 * Opens the state directory, the store, and the tokens and the certificate of the management API: all of them
 * or none. @throws Error
 */
export async function openResources(settings: GatewaySettings, logger: Logger): Promise<OpenedResources> {
  await openStateDirectory(settings.stateDirectory);
  const { adminTls } = settings;
  const adminCertificate = adminTls === null ? null : await AdminCertificate.open(adminTls, logger);
  const opened = await openStore(settings, logger);
  try {
    const { authenticator, createdTokenFile } = await openAuthenticator(
      settings.authentication,
      settings.stateDirectory,
      logger,
    );
    if (createdTokenFile !== null) {
      logger.warn(
        { file: createdTokenFile },
        'a token for the management API was created: it is in this file',
      );
    }
    return { opened, authenticator, adminCertificate };
  } catch (error) {
    await opened.store.close();
    await opened.lock?.release();
    throw error;
  }
}
