import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One of the demo's origins: says which one it is and what it was asked. */
export class DemoOrigin {
  readonly name: string;
  readonly #server: http.Server;

  constructor(name: string) {
    this.name = name;
    this.#server = http.createServer((request, response) => this.#answer(request, response));
    // Longer than the gateway keeps its idle connections, so that it is never the origin that closes first.
    this.#server.keepAliveTimeout = 30_000;
  }

  /** @returns the URL of the origin, on a free port of this machine */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve());
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    request.on('end', () => {
      const body = JSON.stringify({
        origin: this.name,
        method: request.method,
        url: request.url,
        headers: request.headers,
      });
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body) + 1,
      });
      response.end(`${body}\n`);
    });
  }
}
