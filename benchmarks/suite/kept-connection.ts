/** A connection to a proxy that is asked the same again and again, at the least cost for who asks. */
import { connect, type Socket } from 'node:net';

/** One request at a time. Knows only answers with a Content-Length. */
export class KeptConnection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  #received = '';
  #onAnswer: ((isGood: boolean) => void) | null = null;
  isClosed = false;

  private constructor(socket: Socket, request: Buffer) {
    this.#socket = socket;
    this.#request = request;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#receive(text));
    socket.on('close', () => {
      this.isClosed = true;
      this.#answer(false);
    });
  }

  static open(port: number, request: Buffer): Promise<KeptConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.on('error', () => {});
        resolve(new KeptConnection(socket, request));
      });
    });
  }

  /** @param onAnswer is told whether it was a whole answer of status 200 */
  ask(onAnswer: (isGood: boolean) => void): void {
    this.#onAnswer = onAnswer;
    this.#received = '';
    this.#socket.write(this.#request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#received)?.[1]);
    if (Number.isNaN(length)) this.#socket.destroy();
    else if (this.#received.length >= headEnd + 4 + length) {
      this.#answer(this.#received.startsWith('HTTP/1.1 200 '));
    }
  }

  #answer(isGood: boolean): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = null;
    onAnswer?.(isGood);
  }
}
