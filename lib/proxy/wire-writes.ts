/** How messages go out: in as few writes as can be, as each costs a call of the system. */
import type { Socket } from 'node:net';
import type { Lender } from './http1/read-memory.ts';

/** Up to here a copy costs less than a second piece to write. */
const SMALL_BYTES = 8_192;

/**
 * Writes a piece of a body with what stands before and behind it.
 * @param before and `after`: in Latin-1, may be empty
 * @param lender whose memory the piece is: valid during the call only, unless it is held; null where it is nobody else's
 * @returns false where less should be written until the socket has drained
 */
export function writeAround(
  socket: Socket,
  before: string,
  piece: Buffer,
  lender: Lender | null,
  after: string,
): boolean {
  // As a string all of it goes out in one piece, and needs no copy.
  if (piece.length <= SMALL_BYTES) return socket.write(before + piece.toString('latin1') + after, 'latin1');
  const bytes = lender?.hold(piece) ?? piece;
  socket.cork();
  if (before !== '') socket.write(before, 'latin1');
  let takesMore = socket.write(bytes);
  if (after !== '') takesMore = socket.write(after, 'latin1');
  socket.uncork();
  if (!hasTaken(socket)) return takesMore;
  lender?.release(bytes);
  return true;
}

/**
 * Whether the system has taken all that was written. A piece as large as Node's high-water mark makes `write` ask for
 * a pause though nothing is left to wait for.
 */
export function hasTaken(socket: Socket): boolean {
  return socket.writableLength === 0;
}
