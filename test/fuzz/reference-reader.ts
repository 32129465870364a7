/**
 * What a strict reader takes a client's bytes for (RFC 9112): the measure that fuzzing holds the gateway to. It
 * shares nothing with Node's parser, knows the whole stream beforehand, and where it is in doubt it stops: behind
 * bytes that are malformed, cut off or meant for a tunnel, and behind a request that is the last, there is none any more.
 */
import { parseTarget } from '../../lib/core/http/canonical-target.ts';
import {
  findValues,
  frameRequestBody,
  type HeaderField,
  HttpMessage,
  MalformedMessageError,
  parseFieldLine,
  requireWholeLineEnds,
} from '../helpers/http-message.ts';

/** One request of a client, as it may come to the origin. */
export class ReferenceRequest extends HttpMessage {
  readonly method: string;
  /** Path and query in canonical form; null where the target must be refused. */
  readonly target: string | null;
  /** Whether the body came to its end. */
  isWhole = false;
  content: Buffer = Buffer.alloc(0);

  constructor(startLine: string, headers: readonly HeaderField[]) {
    super();
    this.startLine = startLine;
    this.headers = headers;
    const [, method = '', target = ''] = requireRequestLine(startLine);
    this.method = method;
    this.target = canonicalTarget(target);
  }

  /** Whether it names another protocol, be it one that the gateway speaks or not. */
  get asksForUpgrade(): boolean {
    return this.#hasOption('upgrade') && this.header('upgrade') !== undefined;
  }

  /** Whether nothing behind it may be served (RFC 9112 §9.3, §9.6). */
  get isLast(): boolean {
    return this.#hasOption('close') || (this.startLine.endsWith('/1.0') && !this.#hasOption('keep-alive'));
  }

  /** Whether a 101 would make a tunnel of what follows (RFC 9110 §7.8). */
  get asksForWebSocket(): boolean {
    return (
      this.asksForUpgrade &&
      this.method === 'GET' &&
      this.header('upgrade')?.toLowerCase() === 'websocket' &&
      this.header('transfer-encoding') === undefined &&
      Number(this.header('content-length') ?? 0) === 0
    );
  }

  #hasOption(name: string): boolean {
    const options = (this.header('connection') ?? '').toLowerCase().split(',');
    return options.some((option) => option.trim() === name);
  }
}

export interface ReferenceReading {
  readonly requests: readonly ReferenceRequest[];
  /** Why there is no other request. */
  readonly end: 'end of bytes' | 'cut off' | 'malformed' | 'tunnel' | 'last';
  /** What the client sent behind a request for a WebSocket. */
  readonly tunnelled: Buffer;
}

/** More than one space between the parts is lenient, but leaves no second reading (RFC 9112 §3). */
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) +([\x21-\x7e\x80-\xff]+) +HTTP\/1\.[01]$/;

function requireRequestLine(line: string): RegExpExecArray {
  const match = REQUEST_LINE.exec(line);
  if (match === null) throw new MalformedMessageError(`request line ${JSON.stringify(line)}`);
  return match;
}

function canonicalTarget(target: string): string | null {
  const { problem, path, query, hasQuery } = parseTarget(target);
  if (problem !== null) return null;
  return hasQuery ? `${path}?${query}` : path;
}

/** Reads all of a client's bytes. */
export function readStrictly(bytes: Buffer): ReferenceReading {
  const reader = new StrictReader(bytes);
  let end: ReferenceReading['end'] | null = null;
  try {
    while (end === null) end = reader.readRequest();
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error;
    end = 'malformed';
  }
  return { requests: reader.requests, end, tunnelled: reader.rest };
}

/** Reads requests one after the other from bytes that are all there. */
class StrictReader {
  readonly requests: ReferenceRequest[] = [];
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get rest(): Buffer {
    return this.#bytes.subarray(this.#offset);
  }

  /** Null where another request may follow. @throws MalformedMessageError */
  readRequest(): ReferenceReading['end'] | null {
    this.#skipLineEnds();
    if (this.#offset === this.#bytes.length) return 'end of bytes';
    const head = this.#takeUntil('\r\n\r\n');
    if (head === null) return 'cut off';
    const [startLine = '', ...fieldLines] = head.split('\r\n');
    const request = new ReferenceRequest(startLine, fieldLines.map(parseFieldLine));
    const framing = longLengthOf(request) ?? frameRequestBody(request);
    this.requests.push(request);
    request.isWhole = framing === 'chunked' ? this.#readChunks(request) : this.#readContent(request, framing);
    if (!request.isWhole) return 'cut off';
    if (request.asksForWebSocket) return 'tunnel';
    return request.isLast ? 'last' : null;
  }

  /** Empty lines before a request are no part of it (RFC 9112 §2.2). */
  #skipLineEnds(): void {
    while (this.#bytes[this.#offset] === 0x0d || this.#bytes[this.#offset] === 0x0a) this.#offset += 1;
  }

  #readContent(request: ReferenceRequest, length: number | 'until close'): boolean {
    if (length === 'until close') throw new MalformedMessageError('a request that ends with the connection');
    const content = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += content.length;
    request.content = Buffer.concat([request.content, content]);
    return content.length === length;
  }

  #readChunks(request: ReferenceRequest): boolean {
    for (;;) {
      const line = this.#takeUntil('\r\n');
      if (line === null) return false;
      const size = chunkSizeOf(line);
      if (size === 0) return this.#readTrailers(request);
      if (!this.#readContent(request, size)) return false;
      const end = this.#takeUntil('\r\n');
      if (end === null) return false;
      if (end !== '') throw new MalformedMessageError('a chunk is longer than its size');
    }
  }

  #readTrailers(request: ReferenceRequest): boolean {
    for (;;) {
      const line = this.#takeUntil('\r\n');
      if (line === null) return false;
      if (line === '') return true;
      request.trailers.push(parseFieldLine(line));
    }
  }

  /** The text before the next `mark`, which is taken too; null where it has not come. */
  #takeUntil(mark: string): string | null {
    const end = this.#bytes.indexOf(mark, this.#offset, 'latin1');
    if (end === -1) return null;
    const text = this.#bytes.toString('latin1', this.#offset, end);
    requireWholeLineEnds(text);
    this.#offset = end + mark.length;
    return text;
  }
}

/** A length of so many digits that the usual reader takes it for an attack, though it means something. */
function longLengthOf(request: ReferenceRequest): number | null {
  const [length = '', ...others] = request.headerValues('content-length');
  const isAlone = others.length === 0 && request.header('transfer-encoding') === undefined;
  return isAlone && /^\d{16,}$/.test(length) && Number.isSafeInteger(Number(length)) ? Number(length) : null;
}

function chunkSizeOf(line: string): number {
  const match = /^0*([0-9A-Fa-f]{1,16})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
  if (match === null) throw new MalformedMessageError(`chunk size ${JSON.stringify(line)}`);
  return Number.parseInt(match[1] ?? '', 16);
}

/** Whether every one of `fields` stands among those of the request, whatever the case of its name. */
export function findForeignField(
  fields: readonly HeaderField[],
  known: readonly HeaderField[],
): HeaderField | undefined {
  return fields.find(([name, value]) => !findValues(known, name).includes(value));
}
