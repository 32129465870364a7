/** A configuration that needs secrets of every kind, and others that hold what they should not. */
import type { ConfigurationDocument } from '../../lib/core/config/model.ts';
import type { GuardedSecrets } from './guarded-secrets.ts';

const AUDIENCE = ['a'];

export interface OriginUrls {
  readonly plain: string;
  readonly secure: string;
}

export function guardedConfiguration(secrets: GuardedSecrets, urls: OriginUrls): ConfigurationDocument {
  return {
    clusters: clustersOf(secrets, urls),
    issuers: issuersOf(secrets),
    consumers: {
      shop: {
        apiKeys: [{ hash: secrets.apiKeyHash }],
        passwords: [{ username: 'alice', hash: secrets.passwordHash }],
      },
    },
    certificates: {
      default: { certFile: secrets.listener.certFile, keyFile: secrets.listener.keyFile },
      'mixed.example.com': { certFile: secrets.listener.certFile, keyEnv: 'ORIGIN_KEY' },
    },
    routes: ROUTES,
  };
}

function clustersOf(
  { origin, client }: GuardedSecrets,
  urls: OriginUrls,
): NonNullable<ConfigurationDocument['clusters']> {
  const tls = { caFile: origin.caFile, certFile: client.certFile, keyEnv: 'ORIGIN_KEY' };
  return {
    main: { destinations: { only: { url: urls.plain } } },
    secure: { destinations: { only: { url: urls.secure } }, tls },
    untrusted: { destinations: { only: { url: urls.secure } } },
    dead: { destinations: { only: { url: 'http://127.0.0.1:1' } } },
    sticky: {
      destinations: { only: { url: urls.plain } },
      loadBalancing: { policy: 'consistentHash', hash: { source: 'cookie', name: 'session' } },
    },
  };
}

function issuersOf(secrets: GuardedSecrets): NonNullable<ConfigurationDocument['issuers']> {
  const shared = { audience: AUDIENCE, algorithms: ['HS256' as const] };
  const signed = { audience: AUDIENCE, algorithms: ['EdDSA' as const] };
  return {
    variable: { ...shared, issuer: 'variable', secretEnv: 'JWT_SECRET' },
    file: { ...shared, issuer: 'file', secretFile: secrets.secretFile },
    short: { ...shared, issuer: 'short', secretEnv: 'SHORT_SECRET' },
    key: {
      ...signed,
      issuer: 'key',
      jwks: { keys: [secrets.publicKey] },
      claimHeaders: { 'x-user': 'sub' },
    },
    misplaced: { ...signed, issuer: 'misplaced', jwksFile: secrets.privateSetFile },
  };
}

const ROUTES: NonNullable<ConfigurationDocument['routes']> = {
  open: { cluster: 'main', match: { path: '/open/{**rest}' } },
  dead: { cluster: 'dead', match: { path: '/dead' } },
  untrusted: { cluster: 'untrusted', match: { path: '/untrusted' } },
  sticky: { cluster: 'sticky', match: { path: '/sticky' } },
  token: {
    cluster: 'main',
    match: { path: '/token' },
    auth: { issuers: ['variable', 'file', 'key'], tokenFrom: { cookie: 'session', query: 'access' } },
  },
  digest: {
    cluster: 'main',
    match: { path: '/token', headers: [{ name: 'authorization', mode: 'prefix', values: ['Digest'] }] },
  },
  unusable: { cluster: 'main', match: { path: '/unusable' }, auth: { issuers: ['misplaced', 'short'] } },
  basic: { cluster: 'main', match: { path: '/basic' }, auth: { basic: {} } },
  key: {
    cluster: 'secure',
    match: { path: '/key' },
    auth: { apiKey: { header: 'x-api-key', query: 'key' }, forwardToken: false },
  },
  limited: {
    cluster: 'main',
    match: { path: '/limited' },
    rateLimits: [{ requests: 1, perSec: 600, key: { source: 'header', name: 'x-api-key' } }],
  },
};

/** Documents with a secret in a wrong place, by what is wrong. */
export function misplacedSecrets(
  valid: ConfigurationDocument,
  { misplaced, privateKey, listener }: GuardedSecrets,
): Readonly<Record<string, object>> {
  const issuer = { issuer: 'x', audience: AUDIENCE, algorithms: ['EdDSA'] };
  const withCluster = (url: string) => ({ ...valid, clusters: { x: { destinations: { d: { url } } } } });
  const withIssuer = (part: object) => ({ ...valid, issuers: { x: { ...issuer, ...part } } });
  const withConsumer = (x: object) => ({ ...valid, consumers: { x } });
  const certificate = { certFile: listener.certFile, keyFile: listener.key };
  return {
    'password in the URL of a destination': withCluster(`http://user:${misplaced}@127.0.0.1`),
    'password in the URL of keys': withIssuer({ jwksUrl: `https://user:${misplaced}@127.0.0.1/` }),
    'private key of an issuer': withIssuer({ jwks: { keys: [privateKey] } }),
    'symmetric key of an issuer': withIssuer({ jwks: { keys: [{ kty: 'oct', k: misplaced }] } }),
    'secret of an issuer': withIssuer({ secret: misplaced }),
    'secret in place of its variable': withIssuer({ secretEnv: `0${misplaced}` }),
    'API key in place of its hash': withConsumer({ apiKeys: [{ hash: misplaced }] }),
    'API key in place of a list': withConsumer({ apiKeys: misplaced }),
    'password in place of its hash': withConsumer({ passwords: [{ username: 'u', hash: misplaced }] }),
    'password in place of a list': withConsumer({ passwords: { u: misplaced } }),
    'private key in place of its file': { ...valid, certificates: { default: certificate } },
  };
}
