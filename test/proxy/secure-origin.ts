/** An origin on Node's own TLS, and the ways of requests to it: plain, with an expectation, and as WebSockets. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { DEFAULT_LIMIT_MS } from '../helpers/change-signal.ts';
import { formatRequest, request } from '../helpers/raw-client.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { problemCode } from './proxied-origin.ts';
import { formatUpgrade } from './websocket-peers.ts';

/** A request, as TLS tells of it. */
interface SecureRequest {
  /** The name that the connection asked for; false where it asked for none. */
  readonly serverName: string | false | null;
  /** Of the client certificate; undefined where there was none. */
  readonly clientName: string | undefined;
}

export class SecureOrigin {
  readonly requests: SecureRequest[] = [];
  handshakes = 0;
  /** Whether it goes on with a connection after an answer. */
  keepsAlive = true;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    const sockets = new WebSocketServer({ server });
    const note = ({ socket }: IncomingMessage): void => {
      const { servername, getPeerCertificate } = socket as TLSSocket & { servername: string | false | null };
      const subject = getPeerCertificate.call(socket).subject as { readonly CN?: string } | undefined;
      this.requests.push({ serverName: servername, clientName: subject?.CN });
    };
    server.on('secureConnection', () => {
      this.handshakes += 1;
    });
    server.on('request', (incoming, answer) => {
      note(incoming);
      if (!this.keepsAlive) answer.setHeader('connection', 'close');
      answer.end('ok');
    });
    sockets.on('connection', (socket, incoming) => {
      note(incoming);
      socket.on('error', () => {});
      socket.on('message', (data) => socket.send(data, { binary: false }));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** By a name that a certificate can be for. */
  get url(): string {
    return `https://localhost:${this.port}`;
  }

  /** New connections are made with this. */
  renew(options: SecureContextOptions): void {
    this.#server.setSecureContext(options);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

export async function startSecureOrigin(owner: TestOwner, options: ServerOptions): Promise<SecureOrigin> {
  const server = createServer(options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening', { signal: AbortSignal.timeout(DEFAULT_LIMIT_MS) });
  const origin = new SecureOrigin(server);
  owner.teardown(() => origin.close());
  return origin;
}

/** Each is sent by code of its own. */
export const WAYS = ['a plain request', 'a request with an expectation', 'a WebSocket'] as const;
export type Way = (typeof WAYS)[number];

function textOf(way: Way, path: string): string {
  if (way === 'a WebSocket') return formatUpgrade(path);
  if (way === 'a plain request') return formatRequest('GET', path);
  return formatRequest('POST', path, { Expect: '100-continue' }, 'x');
}

/** The status that the client got, and the code where the gateway made the answer. */
export async function tryWay(port: number, way: Way, path: string): Promise<readonly [number, string?]> {
  const response = await request(port, textOf(way, path));
  const code = problemCode(response);
  return code === undefined ? [response.status] : [response.status, code];
}

/** What a way gives that gets through. */
export function successOf(way: Way): readonly [number] {
  return [way === 'a WebSocket' ? 101 : 200];
}
