/**
 * Materials: what entries refer to and do not hold, such as keys and secrets. Each has a name that says where
 * it comes from: `file:/etc/tls/key.pem`, `env:JWT_SECRET`, `jwks:https://idp.example.com/jwks`. The primary
 * gets them for everybody and hands them to the workers.
 */
import type { Certificate, Cluster, Issuer, Kind, KindValues, OriginTls } from './model.ts';

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

/** Materials that are of use only together: a certificate with its key, or authorities by themselves. */
export interface MaterialGroup {
  readonly kind: 'pair' | 'authorities';
  /** Of a pair the certificate first. */
  readonly names: readonly string[];
}

/** What must fit together of the materials that an entry needs. */
export function materialGroupsOf<K extends Kind>(kind: K, value: KindValues[K]): MaterialGroup[] {
  if (kind === 'certificate') {
    const certificate = value as Certificate;
    return groupsOf(certificate, certificate.clientCertificate ?? {});
  }
  const tls = kind === 'cluster' ? (value as Cluster).tls : undefined;
  return tls === undefined ? [] : groupsOf(tls, tls);
}

type PairSource = Pick<Certificate, 'certFile' | 'certEnv' | 'keyFile' | 'keyEnv'>;
type AuthoritiesSource = Pick<OriginTls, 'caFile' | 'caEnv'>;

function groupsOf(
  { certFile, certEnv, keyFile, keyEnv }: PairSource,
  { caFile, caEnv }: AuthoritiesSource,
): MaterialGroup[] {
  const groups: MaterialGroup[] = [];
  const pair = named(materialName(certFile, certEnv), materialName(keyFile, keyEnv));
  if (pair.length === 2) groups.push({ kind: 'pair', names: pair });
  const authorities = named(materialName(caFile, caEnv));
  if (authorities.length === 1) groups.push({ kind: 'authorities', names: authorities });
  return groups;
}

function named(...names: (string | null)[]): string[] {
  return names.filter((name) => name !== null);
}
