import {
  type BodyFraming,
  type HttpMessage,
  MalformedMessageError,
  parseFieldLine,
  requireWholeLineEnds,
} from './http-message.ts';

/** Far above what any test sends; a line or head that grows beyond it is a mistake. */
const MAX_HEAD_BYTES = 1_048_576;

type State =
  | 'head'
  | 'content'
  | 'until close'
  | 'chunk size'
  | 'chunk'
  | 'chunk end'
  | 'trailers'
  | 'complete';

/**
 * Reads one HTTP/1.1 message from bytes that arrive in any pieces and fills it in as they come. What
 * follows the message stays in `surplus`.
 */
export class MessageReader<M extends HttpMessage> {
  readonly message: M;
  readonly #frameBody: (message: M) => BodyFraming;
  #state: State = 'head';
  #pending: Buffer = Buffer.alloc(0);
  #bytesLeft = 0;

  constructor(message: M, frameBody: (message: M) => BodyFraming) {
    this.message = message;
    this.#frameBody = frameBody;
  }

  get hasHead(): boolean {
    return this.#state !== 'head';
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /** What came and is not part of the message, or not yet. */
  get surplus(): Buffer {
    return this.#pending;
  }

  /** @throws MalformedMessageError */
  feed(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#advance());
  }

  /** To be called when the other side has closed its end: this completes a message that ends so. */
  endInput(): void {
    if (this.#state === 'until close') this.#state = 'complete';
  }

  /** Does one step; false where that needs more bytes. */
  #advance(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'content':
      case 'chunk':
      case 'until close':
        return this.#readContent();
      case 'chunk size':
        return this.#readChunkSize();
      case 'chunk end':
        return this.#readChunkEnd();
      case 'trailers':
        return this.#readTrailer();
      case 'complete':
        return false;
    }
  }

  #readHead(): boolean {
    const end = this.#pending.indexOf('\r\n\r\n');
    const text = this.#pending.toString('latin1', 0, end === -1 ? undefined : end);
    requireWholeLineEnds(text);
    if (text.length > MAX_HEAD_BYTES) throw new MalformedMessageError('endless head');
    if (end === -1) return false;
    const [startLine = '', ...fieldLines] = text.split('\r\n');
    this.message.startLine = startLine;
    this.message.headers = fieldLines.map(parseFieldLine);
    this.message.headBytes = this.#take(end + 4);
    this.#beginBody(this.#frameBody(this.message));
    return true;
  }

  #beginBody(framing: BodyFraming): void {
    if (framing === 'chunked') this.#state = 'chunk size';
    else if (framing === 'until close') this.#state = framing;
    else this.#state = framing === 0 ? 'complete' : 'content';
    this.#bytesLeft = typeof framing === 'number' ? framing : Number.POSITIVE_INFINITY;
  }

  #readContent(): boolean {
    const size = Math.min(this.#bytesLeft, this.#pending.length);
    if (size === 0) return false;
    this.message.addContent(this.#take(size));
    this.#bytesLeft -= size;
    if (this.#bytesLeft === 0) this.#state = this.#state === 'chunk' ? 'chunk end' : 'complete';
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#takeLine();
    if (line === null) return false;
    const match = /^([0-9A-Fa-f]{1,12})(?:[ \t]*;.*)?$/.exec(line);
    if (match === null) throw new MalformedMessageError(`chunk size ${JSON.stringify(line)}`);
    this.#bytesLeft = Number.parseInt(match[1] ?? '', 16);
    this.#state = this.#bytesLeft === 0 ? 'trailers' : 'chunk';
    return true;
  }

  #readChunkEnd(): boolean {
    if (this.#pending.length < 2) return false;
    if (this.#takeLine() !== '') throw new MalformedMessageError('a chunk is longer than its size');
    this.#state = 'chunk size';
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#takeLine();
    if (line === null) return false;
    if (line === '') this.#state = 'complete';
    else this.message.trailers.push(parseFieldLine(line));
    return true;
  }

  /** The next line of the body's framing, null where its end has not come yet. */
  #takeLine(): string | null {
    const end = this.#pending.indexOf('\r\n');
    const line = this.#pending.toString('latin1', 0, end === -1 ? undefined : end);
    requireWholeLineEnds(line);
    if (line.length > MAX_HEAD_BYTES)
      throw new MalformedMessageError('endless line in the framing of the body');
    if (end === -1) return null;
    this.message.addFramingBytes(this.#take(end + 2));
    return line;
  }

  #take(size: number): Buffer {
    const taken = this.#pending.subarray(0, size);
    this.#pending = this.#pending.subarray(size);
    return taken;
  }
}
