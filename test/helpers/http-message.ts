/** An HTTP/1.1 message as it came over the wire, and the strict rules by which its head is read. */

export type HeaderField = readonly [name: string, value: string];

/** How long a body is: a number of bytes, or until its own end mark, or until the connection ends. */
export type BodyFraming = number | 'chunked' | 'until close';

/** The bytes are not what RFC 9112 asks for. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

export class HttpMessage {
  startLine = '';
  headers: readonly HeaderField[] = [];
  trailers: HeaderField[] = [];
  /** The head as it came, the empty line included. */
  headBytes: Buffer = Buffer.alloc(0);
  readonly #wireParts: Buffer[] = [];
  readonly #bodyParts: Buffer[] = [];

  /** The body as it came, chunk sizes and trailers included. */
  get bodyBytes(): Buffer {
    return Buffer.concat(this.#wireParts);
  }

  /** The body without its framing. */
  get body(): Buffer {
    return Buffer.concat(this.#bodyParts);
  }

  get text(): string {
    return this.body.toString('utf8');
  }

  addFramingBytes(bytes: Buffer): void {
    this.#wireParts.push(bytes);
  }

  addContent(bytes: Buffer): void {
    this.#wireParts.push(bytes);
    this.#bodyParts.push(bytes);
  }

  /** The values of all fields of that name, joined with a comma; undefined where there is none. */
  header(name: string): string | undefined {
    const values = this.headerValues(name);
    return values.length === 0 ? undefined : values.join(', ');
  }

  headerValues(name: string): string[] {
    return findValues(this.headers, name);
  }
}

export function findValues(fields: readonly HeaderField[], name: string): string[] {
  const wanted = name.toLowerCase();
  return fields.filter(([other]) => other.toLowerCase() === wanted).map(([, value]) => value);
}

const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;
const CONTROL = /[^\t\x20-\x7e\x80-\xff]/;

/** Reads one field line; white space before the colon, folding and controls are malformed (RFC 9112 §5). */
export function parseFieldLine(line: string): HeaderField {
  const match = FIELD_LINE.exec(line);
  if (match === null || CONTROL.test(line))
    throw new MalformedMessageError(`field line ${JSON.stringify(line)}`);
  return [match[1] ?? '', match[2] ?? ''];
}

/** Throws on CR or LF alone, which some parsers take for a line end and others do not. */
export function requireWholeLineEnds(text: string): void {
  if (/(?<!\r)\n|\r(?!\n|$)/.test(text))
    throw new MalformedMessageError(`bare CR or LF in ${JSON.stringify(text)}`);
}

/** How the body of a request is framed (RFC 9112 §6.3); two ways at once are malformed. */
export function frameRequestBody(request: HttpMessage): BodyFraming {
  return readDeclaredFraming(request) ?? 0;
}

/** How the body of a response is framed; `toHead` where it answers a HEAD request. */
export function frameResponseBody(response: HttpMessage, status: number, toHead: boolean): BodyFraming {
  const declared = readDeclaredFraming(response) ?? 'until close';
  const hasNoBody = toHead || status < 200 || status === 204 || status === 304;
  return hasNoBody ? 0 : declared;
}

function readDeclaredFraming(message: HttpMessage): BodyFraming | undefined {
  const encodings = message.headerValues('transfer-encoding');
  const lengths = message.headerValues('content-length');
  if (encodings.length + lengths.length === 0) return undefined;
  if (encodings.length + lengths.length > 1) {
    throw new MalformedMessageError('more than one Content-Length or Transfer-Encoding');
  }
  const [encoding] = encodings;
  const [length = ''] = lengths;
  if (encoding?.toLowerCase() === 'chunked') return 'chunked';
  if (encoding !== undefined)
    throw new MalformedMessageError(`Transfer-Encoding ${JSON.stringify(encoding)}`);
  if (!/^\d{1,15}$/.test(length)) throw new MalformedMessageError(`Content-Length ${JSON.stringify(length)}`);
  return Number(length);
}
