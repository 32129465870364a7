/**
 * Follows the frame boundaries of a WebSocket stream without looking into its payload (RFC 6455 §5.2), so
 * that a close frame can be put in where it does not cut another frame in two.
 *
 *   byte 0   byte 1          then
 *   FIN op   MASK length7    2 or 8 more bytes of length (126, 127), 4 of mask, the payload
 */
export class WebSocketFrameTracker {
  /** Bytes of the current frame's head still to come; 0 while its payload passes. */
  #headBytesLeft = 2;
  #headBytesSeen = 0;
  #length = 0;
  #lengthBytesLeft = 0;
  #payloadLeft = 0;

  /** True where the next byte begins a new frame. */
  get atBoundary(): boolean {
    return this.#headBytesSeen === 0 && this.#payloadLeft === 0;
  }

  push(chunk: Uint8Array): void {
    let index = 0;
    while (index < chunk.length) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, chunk.length - index);
        this.#payloadLeft -= taken;
        index += taken;
      } else {
        this.#readHeadByte(chunk[index]!);
        index += 1;
      }
    }
  }

  #readHeadByte(byte: number): void {
    this.#headBytesSeen += 1;
    this.#headBytesLeft -= 1;
    if (this.#headBytesSeen === 2) this.#readLengthByte(byte);
    else if (this.#headBytesSeen > 2 && this.#lengthBytesLeft > 0) {
      this.#length = this.#length * 256 + byte;
      this.#lengthBytesLeft -= 1;
    }
    if (this.#headBytesLeft > 0) return;
    this.#payloadLeft = this.#length;
    this.#headBytesSeen = 0;
    this.#headBytesLeft = 2;
  }

  #readLengthByte(byte: number): void {
    const short = byte & 0x7f;
    this.#lengthBytesLeft = short === 126 ? 2 : short === 127 ? 8 : 0;
    this.#length = this.#lengthBytesLeft === 0 ? short : 0;
    this.#headBytesLeft += this.#lengthBytesLeft + ((byte & 0x80) === 0 ? 0 : 4);
  }
}

/** A close frame with status 1001, going away (RFC 6455 §7.4.1), as a server sends it. */
export const GOING_AWAY_FRAME: Uint8Array = Uint8Array.of(0x88, 0x02, 0x03, 0xe9);
/** The same as a client sends it. The mask protects nothing here, so it may be zero (§5.3 asks it of user data). */
export const MASKED_GOING_AWAY_FRAME: Uint8Array = Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9);
