/**
 * Reads the responses of one connection (RFC 9112), one after another and strictly: what two readers could take for
 * different messages is refused. Knows nothing of sockets.
 */
import { ChunkedBody } from './chunked-body.ts';
import { readFieldLines } from './field-lines.ts';
import { MessageError } from './message-error.ts';
import { CHUNKED, type ResponseFraming, readFraming, UNTIL_CLOSE } from './response-framing.ts';
import { SectionReader } from './section-reader.ts';
import { readStatusLine, type StatusLine, VERSION_PREFIX } from './status-line.ts';

const MAX_HEAD_BYTES = 65_536;
/** An origin may go on with these for ever. */
const MAX_INTERIM_RESPONSES = 1_000;

/** Gets what the parser reads. */
export interface ResponseSink {
  /** A 1xx response; never 101. @param fields flat: name, value, … */
  onInterim(status: number, fields: string[]): void;
  /** @param reason may be empty */
  onHead(status: number, reason: string, fields: string[]): void;
  /** Some of the body. The bytes are a view of what the parser was given. */
  onBody(bytes: Buffer): void;
  onComplete(trailers: string[]): void;
}

/** From here on memory of its own for what is read pays. */
const LARGE_REST_BYTES = 16_384;

const HEAD = 0;
const LENGTH_BODY = 1;
const CHUNKED_BODY = 2;
const UNTIL_CLOSE_BODY = 3;
/** All of the response has been read; the sink has not been told yet. */
const COMPLETE = 4;
/** No response is expected, or the rest of it is of no interest. */
const IDLE = 5;
type State = 0 | 1 | 2 | 3 | 4 | 5;

export class ResponseParser {
  readonly #sink: ResponseSink;
  readonly #headReader = new SectionReader(MAX_HEAD_BYTES, 'head', (bytes, start, end) =>
    this.#takeHead(bytes, start, end),
  );
  readonly #onChunkData = (data: Buffer): void => this.#sink.onBody(data);
  #state: State = IDLE;
  #isHeadRequest = false;
  #interimResponses = 0;
  #remaining = 0;
  #chunked: ChunkedBody | null = null;
  /** Of the last response: whether another may follow it. */
  keepsAlive = true;
  /** How long the origin keeps an idle connection, as it said last, in seconds; -1 where it did not. */
  keepAliveSeconds = -1;
  /** Whether anything of the expected response has come. */
  hasBegun = false;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Whether a large part of a body is still to come, as far as that is known. */
  get expectsMuch(): boolean {
    if (this.#state === LENGTH_BODY) return this.#remaining >= LARGE_REST_BYTES;
    return this.#state === CHUNKED_BODY || this.#state === UNTIL_CLOSE_BODY;
  }

  /** Whether the response that is under way ends with the connection. */
  get endsWithConnection(): boolean {
    return this.#state === UNTIL_CLOSE_BODY;
  }

  /** Expects the response to a request of this method. */
  begin(method: string): void {
    this.#state = HEAD;
    this.#isHeadRequest = method === 'HEAD';
    this.#interimResponses = 0;
    this.hasBegun = false;
  }

  /** The rest of the response is of no interest: the sink hears nothing more. */
  abandon(): void {
    this.#state = IDLE;
    this.#headReader.reset();
    this.#chunked?.stop();
    this.#chunked = null;
  }

  /**
   * Reads what the connection delivered.
   * @throws MessageError, also for bytes that no request asked for; nothing can be read after that
   */
  read(bytes: Buffer): void {
    if (this.#state === IDLE) throw new MessageError('bytes that no request asked for');
    this.hasBegun = true;
    let at = 0;
    while (at < bytes.length && this.#state < COMPLETE) {
      if (this.#state === HEAD) at = this.#readHead(bytes, at);
      else if (this.#state === LENGTH_BODY) at = this.#readLengthBody(bytes, at);
      else if (this.#state === CHUNKED_BODY) at = this.#readChunkedBody(bytes, at);
      else at = this.#readUntilClose(bytes, at);
    }
    // The response was whole, and stands; but where what follows belongs nobody knows.
    if (at < bytes.length) this.keepsAlive = false;
    // Last: the sink may send the next request at once.
    if (this.#state === COMPLETE) this.#tellComplete();
  }

  /** The connection has ended. @returns false where the expected response is not whole */
  end(): boolean {
    if (this.#state === UNTIL_CLOSE_BODY) this.#tellComplete();
    return this.#state === IDLE;
  }

  #readHead(bytes: Buffer, at: number): number {
    const end = this.#headReader.read(bytes, at);
    if (end !== -1) return end;
    this.#checkBeginning();
    return bytes.length;
  }

  /** At once: what does not speak HTTP may never send an empty line. */
  #checkBeginning(): void {
    const beginning = this.#headReader.keptText(VERSION_PREFIX.length);
    if (!VERSION_PREFIX.startsWith(beginning)) throw new MessageError('not HTTP/1');
  }

  #takeHead(bytes: Buffer, start: number, end: number): void {
    const line = readStatusLine(bytes, start);
    const fields = readFieldLines(bytes, line.end, end);
    const framing = readFraming(fields, line.minorVersion);
    if (line.status < 200) this.#takeInterim(line.status, fields, framing);
    else this.#takeFinal(line, fields, framing);
  }

  #takeInterim(status: number, fields: string[], framing: ResponseFraming): void {
    // Nobody here asks for another protocol.
    if (status === 101) throw new MessageError('101 that no request asked for');
    // It has none (RFC 9110 §8.6): what the origin takes for it would be read as the next response.
    if (framing.declaresBody) throw new MessageError('an interim response that declares a body');
    this.#interimResponses += 1;
    if (this.#interimResponses > MAX_INTERIM_RESPONSES)
      throw new MessageError(`more than ${MAX_INTERIM_RESPONSES} interim responses`);
    this.#sink.onInterim(status, fields);
  }

  #takeFinal({ minorVersion, status, reason }: StatusLine, fields: string[], framing: ResponseFraming): void {
    const hasBody = !this.#isHeadRequest && status !== 204 && status !== 304;
    const length = hasBody ? framing.length : 0;
    // Who declares a body for a 204 may send one, too.
    const mayHaveMore = length === UNTIL_CLOSE || (status === 204 && framing.declaresBody);
    this.keepsAlive = !mayHaveMore && framing.allowsReuse(minorVersion);
    this.keepAliveSeconds = framing.keepAliveSeconds;
    this.#enterBody(length);
    this.#sink.onHead(status, reason, fields);
    if (length === 0) this.#complete();
  }

  #enterBody(length: number): void {
    if (length === CHUNKED) {
      this.#state = CHUNKED_BODY;
      this.#chunked = new ChunkedBody();
    } else if (length === UNTIL_CLOSE) {
      this.#state = UNTIL_CLOSE_BODY;
    } else {
      this.#state = LENGTH_BODY;
      this.#remaining = length;
    }
  }

  #readLengthBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#remaining);
    this.#remaining -= end - at;
    this.#sink.onBody(bytes.subarray(at, end));
    if (this.#remaining === 0) this.#complete();
    return end;
  }

  #readChunkedBody(bytes: Buffer, at: number): number {
    const body = this.#chunked!;
    const end = body.read(bytes, at, this.#onChunkData);
    if (body.isComplete) this.#complete();
    return end;
  }

  #readUntilClose(bytes: Buffer, at: number): number {
    this.#sink.onBody(at === 0 ? bytes : bytes.subarray(at));
    return bytes.length;
  }

  /** Unless the sink has given up meanwhile. */
  #complete(): void {
    if (this.#state !== IDLE) this.#state = COMPLETE;
  }

  #tellComplete(): void {
    const trailers = this.#chunked?.trailers ?? [];
    this.#state = IDLE;
    this.#chunked = null;
    this.#sink.onComplete(trailers);
  }
}
