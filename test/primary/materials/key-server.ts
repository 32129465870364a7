/** A server of JWK Sets that does what the test says. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { jwkOf, makeKey } from '../../auth/jwt-maker.ts';
import { ChangeSignal } from '../../helpers/change-signal.ts';
import type { TestOwner } from '../../helpers/test-owner.ts';

/** A JWK Set with one new public key, as text. */
export function makeKeySet(keyId: string): string {
  return JSON.stringify({ keys: [jwkOf(makeKey('ES256').publicKey, { kid: keyId })] });
}

export class KeyServer {
  /** What becomes of a request. */
  answer: RequestListener = (_request, response) => response.writeHead(404).end();
  requests = 0;
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #changed = new ChangeSignal();

  constructor(server: Server, url: string) {
    this.url = url;
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      this.requests += 1;
      this.#changed.notify();
      this.answer(request, response);
    });
  }

  /** The name of the material that is there. */
  get material(): string {
    return `jwks:${this.url}`;
  }

  serve(text: string, headers: Record<string, string> = {}): void {
    this.answer = (_request, response) => response.writeHead(200, headers).end(text);
  }

  async untilAsked(times: number): Promise<void> {
    await this.#changed.waitFor(
      () => (this.requests >= times ? true : undefined),
      10_000,
      () => `asked ${this.requests} times`,
    );
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Starts a key server on a free port, with TLS where there is a certificate for it; it goes with the test. */
export async function startKeyServer(
  owner: TestOwner,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<KeyServer> {
  const server = certificate === undefined ? createServer() : createTlsServer(certificate);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = certificate === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
  const keyServer = new KeyServer(server as Server, `${origin}/jwks`);
  owner.teardown(() => keyServer.close());
  return keyServer;
}
