import type { Socket } from 'node:net';

/**
 * Ends a connection so that its peer cannot take what it got for a whole message. Where its end is under way, as the peer
 * has ended its side, it can only be closed: the system resets no such connection, and Node would never tell of its end.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
