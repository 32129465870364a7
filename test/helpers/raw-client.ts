/** A client that sends exactly the bytes it is given and tells how each response really ended. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { ChangeSignal, DEFAULT_LIMIT_MS } from './change-signal.ts';
import type { HeaderField } from './http-message.ts';
import type { ConnectionEnd } from './origin-connection.ts';
import { type RawResponse, ResponseReader } from './response-reader.ts';
import type { TestOwner } from './test-owner.ts';

export interface ClientOptions {
  /** The test that the client is closed with. */
  readonly owner?: TestOwner;
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  /** With this the client speaks TLS; `ca` and `servername` are what a test needs most. */
  readonly tls?: ConnectionOptions;
  /** The address to come from, such as 127.0.0.2. */
  readonly localAddress?: string;
}

export interface ReadOptions {
  /** The response answers a HEAD request, and so has no body whatever it declares. */
  readonly toHead?: boolean;
  readonly limitMs?: number;
}

export class RawClient {
  /** How the connection ended, null while it stands. */
  connectionEnd: ConnectionEnd | null = null;
  readonly #socket: Socket;
  readonly #changed = new ChangeSignal();
  #reader: ResponseReader | null = null;
  #unread: Buffer[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', () => this.#endWith('reset'));
    socket.on('end', () => this.#endWith('closed'));
    socket.on('close', () => this.#endWith('closed'));
  }

  /** The port that the connection comes from. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** What has come and belongs to no response. */
  get unread(): Buffer {
    return this.#reader === null ? Buffer.concat(this.#unread) : this.#reader.surplus;
  }

  /** Bytes that wait because the other side does not read. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends bytes as they are; a string is Latin-1. */
  send(bytes: string | Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes, 'latin1');
  }

  /** Resolves once all that was sent is with the kernel, or the connection is gone. */
  async flushed(): Promise<void> {
    if (!this.#socket.writable) return;
    await new Promise<void>((resolve) => this.#socket.write('', () => resolve()));
  }

  /**
   * Waits until the final head has come and gives the response, whose body grows as it arrives.
   * @throws Error where the connection ends before, the response is malformed, or time is up
   */
  async readHead(options: ReadOptions = {}): Promise<RawResponse> {
    const reader = this.#beginResponse(options.toHead === true);
    return this.#waitFor('response head', () => reader.response ?? undefined, options.limitMs);
  }

  /**
   * Reads one response up to its end, good or bad; `ended` says which. Goes on with the one that
   * `readHead` began. @throws Error as `readHead` does
   */
  async readResponse(options: ReadOptions = {}): Promise<RawResponse> {
    const reader = this.#beginResponse(options.toHead === true);
    const find = () => (reader.response?.ended === 'pending' ? undefined : (reader.response ?? undefined));
    const response = await this.#waitFor('whole response', find, options.limitMs);
    this.#unread = [reader.surplus];
    this.#reader = null;
    return response;
  }

  /** Waits until the body of the response that `readHead` gave holds `text`; gives the body so far. */
  async readBodyUntil(text: string, limitMs?: number): Promise<string> {
    const find = () => {
      const body = this.#reader?.response?.text;
      return body?.includes(text) ? body : undefined;
    };
    return this.#waitFor(`${JSON.stringify(text)} in the body`, find, limitMs);
  }

  /** Waits until `text` is among the bytes that belong to no response; they stay unread. */
  async waitForBytes(text: string, limitMs?: number): Promise<Buffer> {
    const find = () => (this.unread.includes(text, 0, 'latin1') ? this.unread : undefined);
    return this.#waitFor(JSON.stringify(text), find, limitMs);
  }

  /** Waits until the other side has closed or reset the connection. */
  async waitForClose(limitMs = DEFAULT_LIMIT_MS): Promise<ConnectionEnd> {
    const find = () => this.connectionEnd ?? undefined;
    return this.#changed.waitFor(find, limitMs, () => `still open: ${this.#describe()}`);
  }

  /** Stops taking bytes from the kernel, so that the other side has to wait. */
  stopReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** Ends our side with a FIN; what is still to come can be read. */
  end(): void {
    this.#socket.end();
  }

  /** Ends the connection with a RST. Not over TLS, where Node has no way to. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Ends the connection at once. */
  close(): void {
    this.#socket.destroy();
  }

  #beginResponse(toHead: boolean): ResponseReader {
    if (this.#reader !== null) return this.#reader;
    this.#reader = new ResponseReader(toHead);
    this.#reader.feed(Buffer.concat(this.#unread));
    this.#unread = [];
    if (this.connectionEnd !== null) this.#reader.endInput(this.connectionEnd);
    return this.#reader;
  }

  #receive(bytes: Buffer): void {
    if (this.#reader === null) this.#unread.push(bytes);
    else this.#reader.feed(bytes);
    this.#changed.notify();
  }

  #endWith(end: ConnectionEnd): void {
    if (this.connectionEnd !== null) return;
    this.connectionEnd = end;
    this.#reader?.endInput(end);
    this.#changed.notify();
  }

  /** Waits for what `find` gives, as long as the bytes make sense and more of them can come. */
  #waitFor<T>(what: string, find: () => T | undefined, limitMs = DEFAULT_LIMIT_MS): Promise<T> {
    const look = () => {
      const problem = this.#reader?.problem;
      if (problem) throw new Error(`malformed response, ${problem.message}; ${this.#describe()}`);
      const found = find();
      if (found === undefined && this.connectionEnd !== null)
        throw new Error(`no ${what}: ${this.#describe()}`);
      return found;
    };
    return this.#changed.waitFor(look, limitMs, () => `no ${what}: ${this.#describe()}`);
  }

  #describe(): string {
    const received = Buffer.concat(this.#reader === null ? this.#unread : [this.#reader.received]);
    const shown = JSON.stringify(received.toString('latin1', 0, 2_000));
    return `connection ${this.connectionEnd ?? 'open'}, ${received.length} bytes received: ${shown}`;
  }
}

/** Opens a connection. @throws Error where that fails or takes longer than ten seconds */
export async function connect(port: number, options: ClientOptions = {}): Promise<RawClient> {
  const address = { port, host: options.host ?? '127.0.0.1', localAddress: options.localAddress };
  const socket = options.tls
    ? connectTls({ ...address, ...options.tls })
    : connectTcp(address as { port: number });
  const event = options.tls ? 'secureConnect' : 'connect';
  await once(socket, event, { signal: AbortSignal.timeout(DEFAULT_LIMIT_MS) });
  const client = new RawClient(socket);
  options.owner?.teardown(() => client.close());
  return client;
}

/** Sends one request on a connection of its own, reads its response and closes the connection. */
export async function request(
  port: number,
  text: string | Buffer,
  options: ClientOptions & ReadOptions = {},
): Promise<RawResponse> {
  const client = await connect(port, options);
  try {
    client.send(text);
    const toHead = options.toHead ?? text.toString('latin1').startsWith('HEAD ');
    return await client.readResponse({ ...options, toHead });
  } finally {
    client.close();
  }
}

/** The text of a request; Host is `localhost` and Content-Length that of the body unless given. */
export function formatRequest(
  method: string,
  target: string,
  headers: readonly HeaderField[] | Readonly<Record<string, string>> = {},
  body = '',
): string {
  const fields: HeaderField[] = Array.isArray(headers) ? [...headers] : Object.entries(headers);
  const names = new Set(fields.map(([name]) => name.toLowerCase()));
  if (!names.has('host')) fields.unshift(['Host', 'localhost']);
  const isFramed = names.has('content-length') || names.has('transfer-encoding');
  if (body !== '' && !isFramed) fields.push(['Content-Length', String(Buffer.byteLength(body, 'latin1'))]);
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${method} ${target} HTTP/1.1\r\n${lines}\r\n${body}`;
}
