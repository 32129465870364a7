/**
 * How long closed connections are gathered, as a message for each would cost a noticeable part of what serving it
 * does. Not longer, as for so long they still count against the limit of their address.
 */
const GATHER_MS = 10;

/** Tells the primary which connections of clients are closed, some at a time. */
export class ClosedConnections {
  readonly #tell: (addresses: readonly string[]) => void;
  #addresses: string[] = [];

  constructor(tell: (addresses: readonly string[]) => void) {
    this.#tell = tell;
  }

  /** A connection is closed. @param address as it came with the connection */
  add(address: string): void {
    this.#addresses.push(address);
    if (this.#addresses.length === 1) setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    const addresses = this.#addresses;
    this.#addresses = [];
    this.#tell(addresses);
  }
}
