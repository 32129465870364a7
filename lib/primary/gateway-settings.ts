/** What a gateway is started with. */
import type { AuthenticationSettings } from '../auth/open-authenticator.ts';
import type { RedisSettings } from '../store/redis/redis-url.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface GatewaySettings {
  readonly version: string;
  /** Null where there is none: then the configuration is the file's or the embedded store's. */
  readonly redis: RedisSettings | null;
  /** With Redis it seeds an empty store, without it is the configuration. Null: the store in the state directory. */
  readonly configFile: string | null;
  readonly listen: Address;
  readonly admin: Address;
  readonly authentication: AuthenticationSettings;
  readonly workers: number;
  readonly stateDirectory: string;
  readonly instance: string;
  readonly drainTimeoutMs: number;
  readonly accessLogRate: number;
  readonly trustedProxies: readonly string[];
  readonly logLevel: string;
  readonly prettyLog: boolean;
}

/** The settings cannot work; the message is one clear line for the person at the terminal. */
export class SettingsError extends Error {}
