import type { Socket } from 'node:net';
import { addressKey } from '../core/policy/address-key.ts';

const MAX_OF_ADDRESS = 64;
/** Here live the commands, the console, the probes and a proxy that all come from one address. */
const MAX_OF_LOOPBACK = 256;

type Connection = Pick<Socket, 'remoteAddress'> & { once(event: 'close', listener: () => void): unknown };

/** Keeps one address from taking all the connections that there may be. */
export class ConnectionLimit {
  readonly #counts = new Map<string, number>();

  /** Counts a connection until it closes; false where its address has as many as it may. */
  admit(connection: Connection): boolean {
    const { remoteAddress } = connection;
    // The client is gone already.
    if (remoteAddress === undefined) return false;
    const key = addressKey(remoteAddress);
    const count = this.#counts.get(key) ?? 0;
    const isLoopback = key.startsWith('127.') || remoteAddress === '::1';
    if (count >= (isLoopback ? MAX_OF_LOOPBACK : MAX_OF_ADDRESS)) return false;
    this.#counts.set(key, count + 1);
    connection.once('close', () => this.#release(key));
    return true;
  }

  /** How many addresses have a connection. */
  get size(): number {
    return this.#counts.size;
  }

  #release(key: string): void {
    const count = (this.#counts.get(key) ?? 0) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
