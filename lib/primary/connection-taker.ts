import type { Socket } from 'node:net';

/** A worker that can be given connections. */
export interface ConnectionTaker {
  /**
   * Hands over a socket that stays open here as well; with `secure`, TLS begins on it. False where the worker
   * cannot be reached.
   */
  give(socket: Socket, secure: boolean, address: string): boolean;
  /** Asks whether the socket that was given last has arrived; if not, `onMissed` follows. */
  probe(): void;
}
