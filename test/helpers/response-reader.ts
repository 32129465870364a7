import { frameResponseBody, HttpMessage, MalformedMessageError } from './http-message.ts';
import { MessageReader } from './message-reader.ts';
import type { ConnectionEnd } from './origin-connection.ts';

export type ResponseEnd = 'complete' | 'reset' | 'closed early';

export class RawResponse extends HttpMessage {
  /** Interim responses (1xx) that came before this one. */
  readonly informational: readonly RawResponse[];
  /** How the message ended; 'pending' while its body is on the way. */
  ended: ResponseEnd | 'pending' = 'pending';

  constructor(informational: readonly RawResponse[]) {
    super();
    this.informational = informational;
  }

  get status(): number {
    return Number(this.startLine.split(' ')[1]);
  }

  get reason(): string {
    return this.startLine.split(' ').slice(2).join(' ');
  }
}

/** Reads one final response and the interim ones before it, up to a good end or a bad one. */
export class ResponseReader {
  /** What is wrong with the bytes, null while nothing is. */
  problem: MalformedMessageError | null = null;
  readonly #toHead: boolean;
  #reader: MessageReader<RawResponse>;

  /** `toHead` where the response answers a HEAD request, and so has no body. */
  constructor(toHead: boolean) {
    this.#toHead = toHead;
    this.#reader = this.#createReader([]);
  }

  /** The final response, once its head has come. */
  get response(): RawResponse | null {
    return this.#reader.hasHead ? this.#reader.message : null;
  }

  /** What came after the end of the response. */
  get surplus(): Buffer {
    return this.#reader.isComplete ? this.#reader.surplus : Buffer.alloc(0);
  }

  /** All that was received and is kept, for people to look at. */
  get received(): Buffer {
    const { message, surplus } = this.#reader;
    const interim = message.informational.map((response) => response.headBytes);
    return Buffer.concat([...interim, message.headBytes, message.bodyBytes, surplus]);
  }

  feed(bytes: Buffer): void {
    try {
      this.#reader.feed(bytes);
      while (this.#hasInterimResponse()) this.#startAfterInterimResponse();
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.problem ??= error;
    }
    if (this.#reader.isComplete) this.#reader.message.ended = 'complete';
  }

  /** The connection has ended: the response is whole, or broken off. */
  endInput(connectionEnd: ConnectionEnd): void {
    const { message } = this.#reader;
    if (message.ended !== 'pending') return;
    if (connectionEnd === 'closed') this.#reader.endInput();
    if (this.#reader.isComplete) message.ended = 'complete';
    else message.ended = connectionEnd === 'reset' ? 'reset' : 'closed early';
  }

  #hasInterimResponse(): boolean {
    const { status } = this.#reader.message;
    return this.#reader.isComplete && status < 200 && status !== 101;
  }

  #startAfterInterimResponse(): void {
    const { message, surplus } = this.#reader;
    message.ended = 'complete';
    this.#reader = this.#createReader([...message.informational, message]);
    this.#reader.feed(surplus);
  }

  #createReader(informational: readonly RawResponse[]): MessageReader<RawResponse> {
    return new MessageReader(new RawResponse(informational), (response) => {
      if (!/^HTTP\/1\.[01] [1-9]\d\d [\t\x20-\x7e\x80-\xff]*$/.test(response.startLine)) {
        throw new MalformedMessageError(`status line ${JSON.stringify(response.startLine)}`);
      }
      return frameResponseBody(response, response.status, this.#toHead);
    });
  }
}
