/**
 * Reads the requests of one connection (RFC 9112), one after another and strictly: what two readers could take for
 * different messages is refused. Knows nothing of sockets.
 */
import { type RequestHead, readRequestHead } from '../../core/http/request-headers.ts';
import { MOST_HEADER_COUNT } from '../../ipc/protocol.ts';
import { ChunkedBody } from './chunked-body.ts';
import { readFieldLines } from './field-lines.ts';
import { MessageError } from './message-error.ts';
import { bodyLengthOf, CHUNKED, UNKNOWN } from './request-framing.ts';
import { METHOD_PEEK, mayBeginRequest, readRequestLine } from './request-line.ts';
import { SectionReader } from './section-reader.ts';

/** What the parser reads of a request before its body. */
export interface ReadHead {
  readonly method: string;
  /** As it came, in Latin-1. */
  readonly target: string;
  /** Such as `1.1`. */
  readonly version: string;
  /** Flat: name, value, name, value, … in Latin-1. */
  readonly rawHeaders: string[];
  /** What is found in them. */
  readonly head: RequestHead;
  /** Whether nothing follows it. */
  readonly isWhole: boolean;
  /** Whether what follows it can be read at all. */
  readonly isFramed: boolean;
}

/** Gets what the parser reads. */
export interface RequestSink {
  onHead(head: ReadHead): void;
  /** Some of the body. The bytes are a view of what the parser was given. */
  onBody(bytes: Buffer): void;
  /** The body is whole; not told of a request that has none. @param trailers flat */
  onComplete(trailers: string[]): void;
}

/** From here on memory of its own for what is read pays. */
const LARGE_REST_BYTES = 16_384;

const CR = 0x0d;
const LF = 0x0a;

const HEAD = 0;
const LENGTH_BODY = 1;
const CHUNKED_BODY = 2;
/** Nobody can say what the bytes behind this head are. */
const UNREADABLE = 3;
type State = 0 | 1 | 2 | 3;

const NO_TRAILERS: string[] = [];

export class RequestParser {
  readonly #sink: RequestSink;
  readonly #headReader: SectionReader;
  readonly #onChunkData = (data: Buffer): void => this.#sink.onBody(data);
  #state: State = HEAD;
  #hasBegun = false;
  /** Whether anything has come since the last head, blank lines included. */
  hasRead = false;
  #remaining = 0;
  #chunked: ChunkedBody | null = null;

  constructor(sink: RequestSink, maxHeadBytes: number) {
    this.#sink = sink;
    this.#headReader = new SectionReader(maxHeadBytes, 'head', (bytes, start, end) =>
      this.#takeHead(bytes, start, end),
    );
  }

  /** Whether a head has begun and is not whole. Blank lines before it are no beginning (RFC 9112 §2.2). */
  get isInHead(): boolean {
    return this.#hasBegun && this.#state === HEAD;
  }

  /** Whether more of the request belongs to the one whose head came last. */
  get isInBody(): boolean {
    return this.#state !== HEAD;
  }

  /** Whether a large part of a body is still to come, as far as that is known. */
  get expectsMuch(): boolean {
    return this.#state === LENGTH_BODY ? this.#remaining >= LARGE_REST_BYTES : this.#state === CHUNKED_BODY;
  }

  /**
   * Reads on from `start`, to the end of one request or of the bytes.
   * @returns behind the last byte that was read
   * @throws MessageError; nothing can be read after that
   */
  read(bytes: Buffer, start: number): number {
    let at = start;
    if (this.#state === HEAD) at = this.#readHead(bytes, at);
    while (at < bytes.length && this.#state !== HEAD) {
      if (this.#state === LENGTH_BODY) at = this.#readLengthBody(bytes, at);
      else if (this.#state === CHUNKED_BODY) at = this.#readChunkedBody(bytes, at);
      else at = bytes.length;
    }
    return at;
  }

  #readHead(bytes: Buffer, start: number): number {
    this.hasRead = true;
    const at = this.#hasBegun ? start : skipBlankLines(bytes, start);
    if (at === bytes.length) return at;
    this.#hasBegun = true;
    const end = this.#headReader.read(bytes, at);
    if (end !== -1) return end;
    // At once: what does not speak HTTP may never send an empty line.
    if (!mayBeginRequest(this.#headReader.keptText(METHOD_PEEK))) throw new MessageError('unknown method');
    return bytes.length;
  }

  #takeHead(bytes: Buffer, start: number, end: number): void {
    const line = readRequestLine(bytes, start);
    const { method, target, version } = line;
    const rawHeaders = readFieldLines(bytes, line.end, end, MOST_HEADER_COUNT);
    const head = readRequestHead(rawHeaders);
    this.#hasBegun = false;
    this.hasRead = false;
    const length = bodyLengthOf(method, version, head);
    const isWhole = length === 0;
    if (!isWhole) this.#enterBody(length);
    this.#sink.onHead({ method, target, version, rawHeaders, head, isWhole, isFramed: length !== UNKNOWN });
  }

  #enterBody(length: number): void {
    if (length === CHUNKED) {
      this.#state = CHUNKED_BODY;
      this.#chunked = new ChunkedBody();
    } else if (length === UNKNOWN) {
      this.#state = UNREADABLE;
    } else {
      this.#state = LENGTH_BODY;
      this.#remaining = length;
    }
  }

  #readLengthBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#remaining);
    this.#remaining -= end - at;
    this.#sink.onBody(bytes.subarray(at, end));
    if (this.#remaining === 0) this.#complete(NO_TRAILERS);
    return end;
  }

  #readChunkedBody(bytes: Buffer, at: number): number {
    const body = this.#chunked!;
    const end = body.read(bytes, at, this.#onChunkData);
    if (body.isComplete) this.#complete(body.trailers);
    return end;
  }

  #complete(trailers: string[]): void {
    this.#state = HEAD;
    this.#chunked = null;
    this.#sink.onComplete(trailers);
  }
}

function skipBlankLines(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === CR || bytes[at] === LF) at += 1;
  return at;
}
