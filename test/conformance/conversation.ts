/** The client of a case: sends its bytes, reads whatever comes, and never throws over it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ChangeSignal, DEFAULT_LIMIT_MS } from '../helpers/change-signal.ts';
import type { ConnectionEnd } from '../helpers/origin-connection.ts';
import { type RawResponse, ResponseReader } from '../helpers/response-reader.ts';
import type { ClientSide } from './observation.ts';

export class Conversation {
  readonly responses: RawResponse[] = [];
  probed = false;
  readonly #socket: Socket;
  readonly #changed = new ChangeSignal();
  readonly #onChange: () => void;
  readonly #pieces: Buffer[] = [];
  #reader: ResponseReader;
  #hasReceived = false;
  #problem: string | null = null;
  #speaksHttp2 = false;
  #end: ConnectionEnd | null = null;

  /** `toHead` where the first request is a HEAD; `onChange` is called whenever something came. */
  constructor(socket: Socket, toHead: boolean, onChange: () => void) {
    this.#socket = socket;
    this.#reader = new ResponseReader(toHead);
    this.#onChange = onChange;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', () => this.#finish('reset'));
    socket.on('end', () => this.#finish('closed'));
    socket.on('close', () => this.#finish('closed'));
  }

  /** Whether anything has come, or nothing will. */
  get isAnswered(): boolean {
    return this.#pieces.length > 0 || this.isOver;
  }

  get isOver(): boolean {
    return this.#end !== null;
  }

  /** Whether a further request on the connection could be answered. */
  get isOpen(): boolean {
    const last = this.responses.at(-1);
    if (this.isOver || this.#problem !== null || last === undefined) return false;
    const options = (last.header('connection') ?? '').toLowerCase().split(/\s*,\s*/);
    return last.status !== 101 && !options.includes('close') && !last.startLine.startsWith('HTTP/1.0');
  }

  send(bytes: string): void {
    if (this.#socket.writable) this.#socket.write(bytes, 'latin1');
  }

  end(): void {
    this.#socket.end();
  }

  /** Waits until anything came, the end included; false where the time is up before. */
  waitForAnswer(limitMs: number): Promise<boolean> {
    return this.#waitUntil(() => this.isAnswered, limitMs);
  }

  /** Waits until so many responses are whole, or nothing more is to come. */
  waitForResponses(count: number, limitMs: number): Promise<boolean> {
    return this.#waitUntil(
      () => this.responses.length >= count || this.isOver || this.#problem !== null,
      limitMs,
    );
  }

  waitForEnd(limitMs: number): Promise<boolean> {
    return this.#waitUntil(() => this.isOver, limitMs);
  }

  /** Closes our side for good and tells what there was. */
  finish(): ClientSide {
    const end = this.#end;
    this.#socket.destroy();
    const { response } = this.#reader;
    if (response !== null && !this.responses.includes(response)) this.responses.push(response);
    return {
      responses: this.responses,
      bytes: Buffer.concat(this.#pieces),
      problem: this.#problem,
      speaksHttp2: this.#speaksHttp2,
      end,
      probed: this.probed,
    };
  }

  async #waitUntil(holds: () => boolean, limitMs: number): Promise<boolean> {
    const find = () => (holds() ? true : undefined);
    return this.#changed.waitFor(find, limitMs, () => 'nothing').catch(() => false);
  }

  #receive(bytes: Buffer): void {
    if (this.#pieces.length === 0) this.#speaksHttp2 = isSettingsFrame(bytes);
    this.#pieces.push(bytes);
    if (!this.#speaksHttp2) this.#feed(bytes);
    this.#tell();
  }

  #feed(bytes: Buffer): void {
    // What follows a 101 is another protocol.
    if (this.#problem !== null || this.responses.at(-1)?.status === 101) return;
    this.#hasReceived ||= bytes.length > 0;
    this.#reader.feed(bytes);
    this.#problem = this.#reader.problem?.message ?? null;
    const { response, surplus } = this.#reader;
    if (response?.ended !== 'complete') return;
    this.responses.push(response);
    // Requests behind the first are never HEAD.
    this.#reader = new ResponseReader(false);
    this.#hasReceived = false;
    if (surplus.length > 0) this.#feed(surplus);
  }

  #finish(end: ConnectionEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#reader.endInput(end);
    const { response } = this.#reader;
    if (response !== null && !this.responses.includes(response)) this.responses.push(response);
    else if (this.#hasReceived && !this.#endsBehindHead()) this.#problem ??= 'bytes that are no whole head';
    this.#tell();
  }

  /** Interim responses without a final one are no fault of their own. */
  #endsBehindHead(): boolean {
    const text = Buffer.concat(this.#pieces).toString('latin1');
    return /HTTP\/1\.1 1\d\d /.test(text) && text.endsWith('\r\n\r\n');
  }

  #tell(): void {
    this.#changed.notify();
    this.#onChange();
  }
}

/** What a server of HTTP/2 begins with (RFC 9113 §3.4, §4.1); no answer of HTTP/1 begins with NUL. */
function isSettingsFrame(bytes: Buffer): boolean {
  return bytes[0] === 0 && bytes[3] === 4;
}

/** Opens a connection to a gateway. @throws Error where that fails or takes longer than ten seconds */
export async function converse(port: number, toHead: boolean, onChange: () => void): Promise<Conversation> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect', { signal: AbortSignal.timeout(DEFAULT_LIMIT_MS) });
  return new Conversation(socket, toHead, onChange);
}
