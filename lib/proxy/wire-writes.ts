/** How messages go out: in as few writes as can be, as each costs a call of the system. */
import type { Socket } from 'node:net';

/** Up to here a copy costs less than a second piece to write. */
const SMALL_BYTES = 8_192;

/**
 * Writes a piece of a body with what stands before and behind it.
 * @param before and `after`: in Latin-1, may be empty
 * @param isBorrowed whether the piece is valid during the call only
 * @returns what `socket.write` does
 */
export function writeAround(
  socket: Socket,
  before: string,
  piece: Buffer,
  isBorrowed: boolean,
  after: string,
): boolean {
  // As a string all of it goes out in one piece, and needs no copy.
  if (piece.length <= SMALL_BYTES) return socket.write(before + piece.toString('latin1') + after, 'latin1');
  const bytes = isBorrowed ? Buffer.from(piece) : piece;
  if (before === '' && after === '') return socket.write(bytes);
  socket.cork();
  if (before !== '') socket.write(before, 'latin1');
  let takesMore = socket.write(bytes);
  if (after !== '') takesMore = socket.write(after, 'latin1');
  socket.uncork();
  return takesMore;
}

/**
 * Whether the system has taken all that was written. A piece as large as Node's high-water mark makes `write` ask for
 * a pause though nothing is left to wait for.
 */
export function hasTaken(socket: Socket): boolean {
  return socket.writableLength === 0;
}
