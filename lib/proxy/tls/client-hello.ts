/** Reads the server name of a ClientHello (RFC 8446 §4.1.2, RFC 6066 §3), which says what certificate is wanted. */

/** With a key share that quantum computers do not break it is about 2 KB. */
const MAX_HELLO_BYTES = 16_384;
const MAX_RECORD_BYTES = 16_384;
const RECORD_HEADER_BYTES = 5;
const HANDSHAKE_HEADER_BYTES = 4;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
/** The version, which says nothing since TLS 1.3, and the random. */
const FIXED_BYTES = 2 + 32;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;

/** The bytes are no ClientHello, or none that can be read. */
export class ClientHelloError extends Error {
  override readonly name = 'ClientHelloError';
}

/**
 * Takes all that a connection has sent so far. @returns the server name in lower case without a trailing dot,
 * '' where the client names none, null while more bytes are needed. @throws ClientHelloError
 */
export function readServerName(bytes: Uint8Array): string | null {
  const hello = joinHello(bytes);
  if (hello === null && bytes.length > MAX_HELLO_BYTES) throw new ClientHelloError('it is too long');
  return hello === null ? null : serverNameOf(new ByteReader(hello));
}

/** The ClientHello, taken out of the records that it may be spread over; null while it is not complete. */
function joinHello(bytes: Uint8Array): Uint8Array | null {
  const joined = new Uint8Array(bytes.length);
  let size = 0;
  let offset = 0;
  while (offset < bytes.length) {
    if (bytes[offset] !== HANDSHAKE_RECORD) throw new ClientHelloError('it does not begin a TLS handshake');
    if (bytes.length - offset < RECORD_HEADER_BYTES) return null;
    const length = uint16At(bytes, offset + 3);
    if (bytes[offset + 1] !== 3 || length === 0 || length > MAX_RECORD_BYTES)
      throw new ClientHelloError('its record is malformed');
    const start = offset + RECORD_HEADER_BYTES;
    const fragment = bytes.subarray(start, start + length);
    joined.set(fragment, size);
    size += fragment.length;
    const end = helloEnd(joined, size);
    if (end !== null) return joined.subarray(HANDSHAKE_HEADER_BYTES, end);
    offset = start + length;
  }
  return null;
}

/** Where the ClientHello ends; null while that is not there yet. */
function helloEnd(joined: Uint8Array, size: number): number | null {
  if (size > 0 && joined[0] !== CLIENT_HELLO) throw new ClientHelloError('it is another handshake message');
  if (size < HANDSHAKE_HEADER_BYTES) return null;
  const end = HANDSHAKE_HEADER_BYTES + joined[1]! * 65_536 + uint16At(joined, 2);
  if (end > MAX_HELLO_BYTES) throw new ClientHelloError('it is too long');
  return end <= size ? end : null;
}

function serverNameOf(hello: ByteReader): string {
  hello.take(FIXED_BYTES);
  hello.takeVector(1);
  hello.takeVector(2);
  hello.takeVector(1);
  if (hello.isAtEnd) return '';
  const extensions = new ByteReader(hello.takeVector(2));
  while (!extensions.isAtEnd) {
    const type = extensions.takeNumber(2);
    const content = extensions.takeVector(2);
    if (type === SERVER_NAME_EXTENSION) return hostNameIn(content);
  }
  return '';
}

/** There is only one kind of name, and one name of a kind. */
function hostNameIn(extension: Uint8Array): string {
  const names = new ByteReader(new ByteReader(extension).takeVector(2));
  if (names.takeNumber(1) !== HOST_NAME) throw new ClientHelloError('its server name is of an unknown kind');
  const name = String.fromCharCode(...names.takeVector(2)).toLowerCase();
  if (name === '' || name.length > 255 || name.includes('\0'))
    throw new ClientHelloError('its server name is malformed');
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function uint16At(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! * 256 + bytes[offset + 1]!;
}

/** Reads what follows what, and never beyond the end. */
class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  take(count: number): Uint8Array {
    const end = this.#offset + count;
    if (end > this.#bytes.length) throw new ClientHelloError('a length in it is wrong');
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }

  /** A number of one or two bytes. */
  takeNumber(size: 1 | 2): number {
    const taken = this.take(size);
    return size === 1 ? taken[0]! : uint16At(taken, 0);
  }

  /** What a length of so many bytes stands before (RFC 8446 §3.4). */
  takeVector(lengthSize: 1 | 2): Uint8Array {
    return this.take(this.takeNumber(lengthSize));
  }
}
