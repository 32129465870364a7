/** An origin that does on the wire exactly what a test tells it to, and records what it is sent. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { ChangeSignal, DEFAULT_LIMIT_MS } from './change-signal.ts';
import { frameRequestBody, MalformedMessageError } from './http-message.ts';
import { MessageReader } from './message-reader.ts';
import { OriginConnection } from './origin-connection.ts';
import { OriginRequest } from './origin-request.ts';
import type { TestOwner } from './test-owner.ts';

/** Called when the head of a request has come; its body may still be on the way. */
export type OriginHandler = (request: OriginRequest, connection: OriginConnection) => unknown;

export interface OriginOptions {
  /** The test that the origin is closed with. */
  readonly owner?: TestOwner;
  /** Key, certificate and the like; the origin then speaks TLS. */
  readonly tls?: SecureContextOptions;
  /** Called before anything of a connection is read. */
  readonly onConnection?: (connection: OriginConnection) => unknown;
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  /** A free one unless given. */
  readonly port?: number;
}

/** What a client sent that is no HTTP/1.1 request. */
export interface MalformedRequest {
  readonly connectionNumber: number;
  readonly problem: string;
}

export class ScriptedOrigin {
  /** Every request whose head has come, oldest first. */
  readonly requests: OriginRequest[] = [];
  /** Empty unless somebody sent what a strict server must refuse. */
  readonly malformed: MalformedRequest[] = [];
  /** May be replaced at any time; requests that come later get the new one. */
  handler: OriginHandler;
  /** How many connections there have been. */
  acceptedConnections = 0;
  /** Kept when the origin is closed, so that another one can take its place. */
  readonly port: number;
  readonly #server: Server;
  readonly #options: OriginOptions;
  readonly #open = new Set<OriginConnection>();
  readonly #changed = new ChangeSignal();

  /** `server` must be listening. */
  constructor(server: Server, handler: OriginHandler, options: OriginOptions) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.handler = handler;
    this.#options = options;
    server.on('connection', (transport: Socket) => this.#accept(transport));
  }

  get url(): string {
    const host = this.#options.host ?? '127.0.0.1';
    return `${this.#options.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  /** How many connections are open now. */
  get connections(): number {
    return this.#open.size;
  }

  /** The next request to arrive from now on. */
  requestArrived(limitMs = DEFAULT_LIMIT_MS): Promise<OriginRequest> {
    const seen = this.requests.length;
    return this.#changed.waitFor(
      () => this.requests[seen],
      limitMs,
      () => `no request after the first ${seen}`,
    );
  }

  /** Waits until there have been at least `count` requests and gives them. */
  async waitForRequests(count: number, limitMs = DEFAULT_LIMIT_MS): Promise<readonly OriginRequest[]> {
    const describe = () => `${this.requests.length} requests instead of ${count}`;
    await this.#changed.waitFor(() => this.requests[count - 1], limitMs, describe);
    return this.requests;
  }

  /** Waits until exactly `count` connections are open. */
  async waitForConnections(count: number, limitMs = DEFAULT_LIMIT_MS): Promise<void> {
    const describe = () => `${this.connections} open connections instead of ${count}`;
    await this.#changed.waitFor(() => (this.connections === count ? true : undefined), limitMs, describe);
  }

  /** Ends every connection at once, and the origin. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#open) connection.destroy();
    await closed;
  }

  #accept(transport: Socket): void {
    transport.on('error', () => {});
    const socket = this.#options.tls === undefined ? transport : secure(transport, this.#options.tls);
    const conversation = new Conversation(this, ++this.acceptedConnections, socket, transport);
    const { connection } = conversation;
    this.#open.add(connection);
    socket.once('close', () => {
      this.#open.delete(connection);
      this.#changed.notify();
    });
    this.#options.onConnection?.(connection);
    this.#changed.notify();
  }

  /** A head has come: record the request, then let the script answer it. */
  record(request: OriginRequest, connection: OriginConnection): void {
    this.requests.push(request);
    this.#changed.notify();
    connection.beginRequest(request);
    this.handler(request, connection);
  }
}

/** Reads the requests of one connection, one after the other. */
class Conversation {
  readonly connection: OriginConnection;
  readonly #origin: ScriptedOrigin;
  #reader: MessageReader<OriginRequest>;
  #isParsing = true;

  constructor(origin: ScriptedOrigin, number: number, socket: Socket, transport: Socket) {
    this.#origin = origin;
    this.#reader = createReader(number);
    const onData = (bytes: Buffer) => this.#read(bytes);
    this.connection = new OriginConnection(number, socket, transport, () => {
      socket.off('data', onData);
      this.#isParsing = false;
      return this.#reader.surplus;
    });
    socket.on('data', onData);
    socket.on('end', () => this.#reader.message.end('closed early'));
    void this.connection.ended.then((end) => {
      this.#reader.message.end(end === 'reset' ? 'reset' : 'closed early');
    });
  }

  #read(bytes: Buffer): void {
    if (!this.#isParsing) return;
    try {
      this.#parse(bytes);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.#refuse(error.message);
    }
  }

  #parse(bytes: Buffer): void {
    let rest = bytes;
    do {
      const reader = this.#reader;
      const hadHead = reader.hasHead;
      reader.feed(rest);
      if (reader.isComplete) reader.message.end('complete');
      if (reader.hasHead && !hadHead) this.#origin.record(reader.message, this.connection);
      if (!reader.isComplete || !this.#isParsing) return;
      rest = reader.surplus;
      this.#reader = createReader(this.connection.number);
    } while (rest.length > 0);
  }

  #refuse(problem: string): void {
    this.#origin.malformed.push({ connectionNumber: this.connection.number, problem });
    this.#reader.message.end('malformed');
    this.connection.write('HTTP/1.1 400 Malformed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    this.connection.close();
    this.#isParsing = false;
  }
}

function createReader(connectionNumber: number): MessageReader<OriginRequest> {
  return new MessageReader(new OriginRequest(connectionNumber), (request) => {
    requireRequestLine(request.startLine);
    const hosts = request.headerValues('host').length;
    if (hosts !== 1) throw new MalformedMessageError(`${hosts} Host fields`);
    return frameRequestBody(request);
  });
}

function requireRequestLine(line: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e]+ HTTP\/1\.[01]$/.test(line)) {
    throw new MalformedMessageError(`request line ${JSON.stringify(line)}`);
  }
}

/** Not a `tls.Server`, so that the TCP socket stays at hand: only that one can be reset. */
function secure(transport: Socket, options: SecureContextOptions): TLSSocket {
  return new TLSSocket(transport, { isServer: true, secureContext: createSecureContext(options) });
}

/** Starts an origin on a free port of 127.0.0.1 that answers every request as `handler` does. */
export async function startOrigin(
  handler: OriginHandler,
  options: OriginOptions = {},
): Promise<ScriptedOrigin> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const origin = new ScriptedOrigin(server, handler, options);
  options.owner?.teardown(() => origin.close());
  return origin;
}
