/** How long closed connections are gathered: a message for each would cost more than to serve some of them. */
const GATHER_MS = 100;

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
