/**
 * Accepts the connections of clients and hands each to a worker, in turn. The primary reads nothing of them.
 *
 * Why not node:cluster's own sharing: its round robin loses track of a connection that was handed to a
 * worker that dies (the client hangs), and closes the port when the last worker is gone. Here a socket stays
 * ours until the worker has said that it has it, so it can be given to another, and the port stays open
 * while workers come and go. docs/architecture.md has the figures.
 */
import net, { type AddressInfo, type Socket } from 'node:net';

/** A worker that can be given connections. */
export interface ConnectionTaker {
  /** Hands over a socket that stays open here as well; false where the worker cannot be reached. */
  give(socket: Socket): boolean;
  /** Asks whether the socket that was given last has arrived; if not, `onMissed` follows. */
  probe(): void;
}

/** Connections that wait for a worker: more are closed, older ones too. */
const MAX_WAITING = 1_024;
const MAX_WAIT_MS = 15_000;
const CHECK_INTERVAL_MS = 1_000;
const BACKLOG = 1_024;

interface Waiting {
  readonly socket: Socket;
  readonly sinceMs: number;
}

export class Acceptor {
  readonly #server: net.Server;
  /** Workers that have no socket on the way to them, the one that waited longest first. */
  readonly #free = new Set<ConnectionTaker>();
  readonly #onTheWay = new Map<ConnectionTaker, Waiting>();
  readonly #waiting: Waiting[] = [];
  readonly #timer: NodeJS.Timeout;
  #droppedCount = 0;

  constructor() {
    this.#server = net.createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true }, (socket) =>
      this.#onConnection(socket),
    );
    this.#timer = setInterval(() => {
      this.#dropOld();
      this.#probeSlow();
    }, CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Connections that were closed because no worker took them in time. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** @returns where it listens, as host:port. @throws the system's error, e.g. EADDRINUSE */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: BACKLOG }, () => resolve());
    });
    this.#server.on('error', () => {});
    const { address, port: chosen, family } = this.#server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${chosen}` : `${address}:${chosen}`;
  }

  /** The worker serves: it gets its turn from now on. */
  add(taker: ConnectionTaker): void {
    this.#release(taker);
  }

  /** The worker gets nothing more; what is on its way to it still counts as its own. */
  remove(taker: ConnectionTaker): void {
    this.#free.delete(taker);
  }

  /** The worker has the socket, or found it closed. */
  onAccepted(taker: ConnectionTaker, serves: boolean): void {
    // Only our handle is closed: the worker holds its own to the same connection.
    this.#onTheWay.get(taker)?.socket.destroy();
    this.#onTheWay.delete(taker);
    if (serves) this.#release(taker);
  }

  /**
   * The socket did not arrive, and never will: the worker had no file descriptor for it. It waits for whoever
   * is free next, which may be the same worker.
   */
  onMissed(taker: ConnectionTaker, serves: boolean): void {
    const missed = this.#onTheWay.get(taker);
    this.#onTheWay.delete(taker);
    if (missed !== undefined) this.#dispatch(missed);
    if (serves) this.#release(taker);
  }

  /** The worker is gone: what it had not accepted goes to another. */
  onGone(taker: ConnectionTaker): void {
    this.#free.delete(taker);
    const lost = this.#onTheWay.get(taker);
    this.#onTheWay.delete(taker);
    if (lost !== undefined) this.#dispatch(lost);
  }

  #onConnection(socket: Socket): void {
    socket.on('error', () => {});
    this.#dispatch({ socket, sinceMs: performance.now() });
  }

  #dispatch(connection: Waiting): void {
    if (connection.socket.destroyed) return;
    for (const taker of this.#free) {
      this.#free.delete(taker);
      if (!taker.give(connection.socket)) continue;
      this.#onTheWay.set(taker, connection);
      return;
    }
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(connection);
    else this.#drop(connection.socket);
  }

  #release(taker: ConnectionTaker): void {
    this.#free.add(taker);
    let next = this.#waiting.shift();
    while (next?.socket.destroyed) next = this.#waiting.shift();
    if (next !== undefined) this.#dispatch(next);
  }

  #dropOld(): void {
    const oldestMs = performance.now() - MAX_WAIT_MS;
    while (this.#waiting.length > 0 && this.#waiting[0]!.sinceMs < oldestMs)
      this.#drop(this.#waiting.shift()!.socket);
  }

  #probeSlow(): void {
    const slowBeforeMs = performance.now() - CHECK_INTERVAL_MS;
    for (const [taker, { sinceMs }] of this.#onTheWay) if (sinceMs < slowBeforeMs) taker.probe();
  }

  #drop(socket: Socket): void {
    this.#droppedCount += 1;
    socket.resetAndDestroy();
  }

  /** Takes no more connections. Those that wait are still handed out. */
  stop(): void {
    this.#server.close();
  }

  /** Resolves when no connection waits any more. */
  async settled(limitMs: number): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    while ((this.#waiting.length > 0 || this.#onTheWay.size > 0) && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    clearInterval(this.#timer);
    for (const { socket } of this.#waiting.splice(0)) this.#drop(socket);
  }
}
