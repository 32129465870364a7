/** What a gateway is started with. */
import type { AuthenticationSettings } from '../auth/open-authenticator.ts';
import type { ListenerLimits, WorkerSettings } from '../ipc/protocol.ts';
import type { RedisSettings } from '../store/redis/redis-url.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How many connections clients may have at once; 0: any number. */
export interface ConnectionLimits {
  readonly total: number;
  /** Of one address, or of one IPv6 /64; trusted proxies are excepted. */
  readonly perAddress: number;
}

/** PEM files for TLS on the admin listener. */
export interface AdminTlsFiles {
  /** The certificate with its chain, and its private key. */
  readonly certFile: string;
  readonly keyFile: string;
  /** The authorities of client certificates; null where none is asked for. */
  readonly clientCaFile: string | null;
}

export interface GatewaySettings {
  readonly version: string;
  /** Null where there is none: then the configuration is the file's or the embedded store's. */
  readonly redis: RedisSettings | null;
  /** With Redis it seeds an empty store, without it is the configuration. Null: the store in the state directory. */
  readonly configFile: string | null;
  readonly listen: Address;
  /** Where TLS is spoken; null: nowhere. */
  readonly listenTls: Address | null;
  readonly admin: Address;
  /** Null where the admin listener speaks plain HTTP. */
  readonly adminTls: AdminTlsFiles | null;
  readonly authentication: AuthenticationSettings;
  readonly workers: number;
  readonly stateDirectory: string;
  readonly instance: string;
  readonly drainTimeoutMs: number;
  readonly accessLogRate: number;
  readonly trustedProxies: readonly string[];
  readonly limits: ListenerLimits;
  readonly connectionLimits: ConnectionLimits;
  /** Address ranges that are otherwise never connected to: see core/policy/restricted-addresses.ts. */
  readonly allowedAddresses: readonly string[];
  readonly logLevel: string;
  readonly prettyLog: boolean;
}

/** What every worker is started with. */
export function workerSettingsOf(settings: GatewaySettings): Omit<WorkerSettings, 'workerId' | 'slot'> {
  const { instance, workers, trustedProxies, limits, allowedAddresses } = settings;
  const { accessLogRate, logLevel, prettyLog } = settings;
  return { instance, workers, trustedProxies, limits, allowedAddresses, accessLogRate, logLevel, prettyLog };
}

/** The settings cannot work; the message is one clear line for the person at the terminal. */
export class SettingsError extends Error {}
