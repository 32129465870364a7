import type { AuthenticationSettings } from '../auth/open-authenticator.ts';
import { readSecret } from './secret-from-environment.ts';

const CLOCK_TOLERANCE_SEC = 30;
const DEFAULT_ROLE_CLAIM = 'roles';

/**
 * Who may use the management API, beside the tokens of the state directory: GATEWAY_ADMIN_TOKEN or its file,
 * and JWTs of the issuer that GATEWAY_ADMIN_JWT_ISSUER, _AUDIENCE, _KEYS_FILE and _ROLE_CLAIM describe.
 * @throws RangeError or Error where the variables contradict each other or a file cannot be read
 */
export function authenticationSettingsFrom(environment: NodeJS.ProcessEnv): AuthenticationSettings {
  return {
    environmentToken: readSecret(environment, 'GATEWAY_ADMIN_TOKEN'),
    jwt: jwtSettingsFrom(environment),
  };
}

function jwtSettingsFrom(environment: NodeJS.ProcessEnv): AuthenticationSettings['jwt'] {
  const issuer = environment.GATEWAY_ADMIN_JWT_ISSUER || null;
  const audience = environment.GATEWAY_ADMIN_JWT_AUDIENCE || null;
  const keysFile = environment.GATEWAY_ADMIN_JWT_KEYS_FILE || null;
  const roleClaim = environment.GATEWAY_ADMIN_JWT_ROLE_CLAIM || null;
  if (issuer === null && audience === null && keysFile === null) {
    // Whoever names the claim means to let JWTs in, and would find that none is.
    if (roleClaim === null) return null;
    throw new RangeError(
      'GATEWAY_ADMIN_JWT_ROLE_CLAIM says nothing without GATEWAY_ADMIN_JWT_ISSUER, GATEWAY_ADMIN_JWT_AUDIENCE and GATEWAY_ADMIN_JWT_KEYS_FILE: set them, or unset it',
    );
  }
  if (issuer === null || audience === null || keysFile === null) {
    throw new RangeError(
      'GATEWAY_ADMIN_JWT_ISSUER, GATEWAY_ADMIN_JWT_AUDIENCE and GATEWAY_ADMIN_JWT_KEYS_FILE belong together: set all three or none',
    );
  }
  return {
    issuer,
    audience,
    keysFile,
    roleClaim: roleClaim ?? DEFAULT_ROLE_CLAIM,
    clockToleranceSec: CLOCK_TOLERANCE_SEC,
  };
}
