/** WebSocket servers and clients for tests: the `ws` package at both ends, and bare upgrade requests. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { DEFAULT_LIMIT_MS } from '../helpers/change-signal.ts';
import type { HeaderField } from '../helpers/http-message.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

/** A WebSocket as the origin sees it, and the request that it came with. */
export interface OriginWebSocket {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
}

export interface ReceivedMessage {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** An origin that sends every message back. */
export class EchoOrigin {
  readonly url: string;
  readonly opened: OriginWebSocket[] = [];
  readonly #server: WebSocketServer;

  constructor(server: WebSocketServer) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket, request) => {
      this.opened.push({ socket, request });
      socket.on('error', () => {});
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
  }

  /** Ends every connection at once, and the origin. */
  async close(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Starts an origin that speaks WebSocket and chooses the first subprotocol that is offered. */
export async function startEchoOrigin(owner: TestOwner): Promise<EchoOrigin> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true });
  await once(server, 'listening', { signal: AbortSignal.timeout(DEFAULT_LIMIT_MS) });
  const origin = new EchoOrigin(server);
  owner.teardown(() => origin.close());
  return origin;
}

/** Opens a WebSocket by way of the gateway. @throws Error where the upgrade is refused */
export async function openWebSocket(
  owner: TestOwner,
  port: number,
  path: string,
  options: ClientOptions & { readonly protocols?: string[] } = {},
): Promise<WebSocket> {
  const { protocols = [], ...rest } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, rest);
  owner.teardown(() => socket.terminate());
  await once(socket, 'open', { signal: AbortSignal.timeout(DEFAULT_LIMIT_MS) });
  return socket;
}

/** The next message that comes. */
export async function nextMessage(socket: WebSocket): Promise<ReceivedMessage> {
  const [data, isBinary] = await once(socket, 'message', { signal: AbortSignal.timeout(DEFAULT_LIMIT_MS) });
  return { data: data as Buffer, isBinary: isBinary as boolean };
}

/** Sends a text and gives the text that comes back. */
export async function echo(socket: WebSocket, text: string): Promise<string> {
  const reply = nextMessage(socket);
  socket.send(text);
  return (await reply).data.toString();
}

/** Waits for the end and gives its code: 1006 where no close frame came. */
export async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close', { signal: AbortSignal.timeout(DEFAULT_LIMIT_MS) });
  return code as number;
}

const UPGRADE_FIELDS: readonly HeaderField[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
];

/** The bytes of an upgrade request (RFC 6455 §1.3). */
export function formatUpgrade(target: string, fields: readonly HeaderField[] = []): string {
  return formatRequest('GET', target, [...UPGRADE_FIELDS, ...fields]);
}

/** What an origin answers to it, besides the status. */
export const ACCEPT_FIELDS: readonly HeaderField[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
];
