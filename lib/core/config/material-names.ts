/**
 * Materials: what entries refer to and do not hold, such as keys and secrets. Each has a name that says where
 * it comes from: `file:/etc/tls/key.pem`, `env:JWT_SECRET`, `jwks:https://idp.example.com/jwks`. The primary
 * gets them for everybody and hands them to the workers.
 */
import type { Certificate, Cluster, Issuer, Kind, KindValues } from './model.ts';

/** The material that no entry names: what the instance seals its TLS session tickets with. */
export const TICKET_KEYS = 'ticket-keys';

/** The name of what is in a file, or else in a variable; null where neither is given. */
export function materialName(file: string | undefined, variable: string | undefined): string | null {
  if (file !== undefined) return `file:${file}`;
  return variable === undefined ? null : `env:${variable}`;
}

/** The material with an issuer's keys; null where they stand in the issuer itself. */
export function keyMaterialOf({ jwksUrl, jwksFile, secretFile, secretEnv }: Issuer): string | null {
  if (jwksUrl !== undefined) return `jwks:${jwksUrl}`;
  return materialName(jwksFile ?? secretFile, secretEnv);
}

/** The materials that an entry needs. */
export function materialsOf<K extends Kind>(kind: K, value: KindValues[K]): string[] {
  switch (kind) {
    case 'issuer':
      return named(keyMaterialOf(value as Issuer));
    case 'certificate':
      return materialsOfCertificate(value as Certificate);
    case 'cluster':
      return materialsOfCluster(value as Cluster);
    default:
      return [];
  }
}

function materialsOfCertificate(certificate: Certificate): string[] {
  const { certFile, certEnv, keyFile, keyEnv, clientCertificate } = certificate;
  return named(
    materialName(certFile, certEnv),
    materialName(keyFile, keyEnv),
    materialName(clientCertificate?.caFile, clientCertificate?.caEnv),
  );
}

function materialsOfCluster({ tls }: Cluster): string[] {
  return named(
    materialName(tls?.caFile, tls?.caEnv),
    materialName(tls?.certFile, tls?.certEnv),
    materialName(tls?.keyFile, tls?.keyEnv),
  );
}

function named(...names: (string | null)[]): string[] {
  return names.filter((name) => name !== null);
}
