import type { Socket } from 'node:net';
import { findValues, type HeaderField } from './http-message.ts';
import type { OriginRequest } from './origin-request.ts';

export interface Answer {
  /** 200 unless given. */
  readonly status?: number;
  readonly reason?: string;
  readonly headers?: readonly HeaderField[] | Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface ChunkedAnswer extends Omit<Answer, 'body'> {
  readonly chunks: readonly (string | Buffer)[];
  readonly trailers?: readonly HeaderField[];
}

/** How a connection came to its end: with a FIN, or with a RST. */
export type ConnectionEnd = 'closed' | 'reset';

/**
 * One connection to a scripted origin, with all the ways to answer on it, good and bad. What is
 * written goes out as it is and in order; nothing is checked. To hang, do nothing.
 */
export class OriginConnection {
  readonly number: number;
  /** How the connection ended, once it has. */
  readonly ended: Promise<ConnectionEnd>;
  readonly #socket: Socket;
  readonly #transport: Socket;
  readonly #stopParsing: () => Buffer;
  readonly #resolveEnd: (end: ConnectionEnd) => void;
  #request: OriginRequest | null = null;

  /** `transport` is the TCP socket under `socket`: the same one, or that which carries its TLS. */
  constructor(number: number, socket: Socket, transport: Socket, stopParsing: () => Buffer) {
    this.number = number;
    this.#socket = socket;
    this.#transport = transport;
    this.#stopParsing = stopParsing;
    const { promise, resolve } = Promise.withResolvers<ConnectionEnd>();
    this.ended = promise;
    this.#resolveEnd = resolve;
    socket.once('error', () => resolve('reset'));
    socket.once('close', () => resolve('closed'));
  }

  /** Answers that depend on the request (HEAD, Connection) are for this one. */
  beginRequest(request: OriginRequest): void {
    this.#request = request;
  }

  /** Bytes that wait because the other side does not read. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Writes bytes as they are; a string is Latin-1. */
  write(bytes: string | Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes, 'latin1');
  }

  /** Resolves once all that was written is with the kernel, or the connection is gone. */
  async flushed(): Promise<void> {
    if (!this.#socket.writable) return;
    const written = new Promise<void>((resolve) => this.#socket.write('', () => resolve()));
    await Promise.race([written, this.ended]);
  }

  /** A whole and correct response with Content-Length, unless `headers` say how it is framed. */
  answer(answer: Answer = {}): void {
    const { status = 200, body = '' } = answer;
    const fields = listFields(answer);
    const hasBody = status >= 200 && status !== 204 && status !== 304;
    const isFramed = ['content-length', 'transfer-encoding'].some(
      (name) => findValues(fields, name).length > 0,
    );
    if (hasBody && !isFramed) fields.push(['Content-Length', String(Buffer.byteLength(body))]);
    const content = hasBody && this.#request?.method !== 'HEAD' ? body : '';
    this.write(Buffer.concat([formatHead(answer, fields), toBytes(content)]));
    if (this.#request?.wantsClose === true) this.close();
  }

  answerChunked(answer: ChunkedAnswer): void {
    this.beginChunked(answer);
    for (const chunk of answer.chunks) this.writeChunk(chunk);
    this.endChunked(answer.trailers);
  }

  beginChunked(answer: Answer = {}): void {
    this.write(formatHead(answer, [...listFields(answer), ['Transfer-Encoding', 'chunked']]));
  }

  writeChunk(content: string | Buffer): void {
    const bytes = toBytes(content);
    this.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]));
  }

  endChunked(trailers: readonly HeaderField[] = []): void {
    this.write(`0\r\n${formatFields(trailers)}\r\n`);
    if (this.#request?.wantsClose === true) this.close();
  }

  /** An interim response; the final one is to follow (RFC 9110 §15.2). */
  inform(status: number, headers: Answer['headers'] = []): void {
    this.write(formatHead({ status }, listFields({ headers })));
  }

  /** A body that ends only with the connection. */
  answerUntilClose(answer: Answer): void {
    this.write(formatHead(answer, [...listFields(answer), ['Connection', 'close']]));
    this.write(toBytes(answer.body ?? ''));
    this.close();
  }

  /** Declares `declaredBytes` and sends the body as it is, shorter or longer; the connection stays open. */
  answerWithLength(declaredBytes: number, answer: Answer): void {
    const head = formatHead(answer, [...listFields(answer), ['Content-Length', String(declaredBytes)]]);
    this.write(Buffer.concat([head, toBytes(answer.body ?? '')]));
  }

  /** Declares more bytes than the body has, sends it, and ends the connection in the middle. */
  breakOff(end: ConnectionEnd, declaredBytes: number, answer: Answer): void {
    this.answerWithLength(declaredBytes, answer);
    if (end === 'reset') this.reset();
    else this.close();
  }

  /** A whole response, and bytes after it that belong to nothing, in one write. */
  answerWithSurplus(answer: Answer, surplus: string | Buffer): void {
    this.#socket.cork();
    this.answer(answer);
    this.write(surplus);
    this.#socket.uncork();
  }

  /** Writes slowly, `pieceBytes` every `everyMs`, until all is out or the connection ends. */
  drip(bytes: string | Buffer, everyMs: number, pieceBytes = 1): void {
    let rest = toBytes(bytes, 'latin1');
    const timer = setInterval(() => {
      this.write(rest.subarray(0, pieceBytes));
      rest = rest.subarray(pieceBytes);
      if (rest.length === 0) clearInterval(timer);
    }, everyMs);
    this.#socket.once('close', () => clearInterval(timer));
  }

  /** Stops taking bytes from the kernel, so that the other side has to wait. */
  stopReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** Ends our side with a FIN once all that was written is out. */
  close(): void {
    this.#socket.end();
  }

  /** Ends the connection with a RST once all that was written is with the kernel. */
  reset(): void {
    if (this.#socket.writableLength === 0) this.#resetNow();
    else this.#socket.write('', () => this.#resetNow());
  }

  #resetNow(): void {
    this.#resolveEnd('reset');
    this.#transport.resetAndDestroy();
  }

  /** Answers 101 and hands over the socket as `takeOver` does. */
  switchProtocols(headers: Answer['headers'] = []): Socket {
    this.inform(101, headers);
    return this.takeOver();
  }

  /**
   * Hands over the socket, which speaks another protocol from now on; bytes that came after the request
   * are read from it first. It flows: listen to it before anything is awaited.
   */
  takeOver(): Socket {
    const surplus = this.#stopParsing();
    if (surplus.length > 0) this.#socket.unshift(surplus);
    return this.#socket;
  }

  /** Ends the connection at once, whatever waits. */
  destroy(): void {
    this.#socket.destroy();
    this.#transport.destroy();
  }
}

/** The head of a response, the empty line included. */
function formatHead({ status = 200, reason = 'Scripted' }: Answer, fields: readonly HeaderField[]): Buffer {
  return Buffer.from(`HTTP/1.1 ${status} ${reason}\r\n${formatFields(fields)}\r\n`, 'latin1');
}

function formatFields(fields: readonly HeaderField[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

function listFields({ headers = [] }: Answer): HeaderField[] {
  return Array.isArray(headers) ? [...headers] : Object.entries(headers);
}

function toBytes(content: string | Buffer, encoding: BufferEncoding = 'utf8'): Buffer {
  return typeof content === 'string' ? Buffer.from(content, encoding) : content;
}
