import { Socket, type SocketConstructorOpts } from 'node:net';
import { Duplex } from 'node:stream';

/** What reads a connection. */
export interface SocketReader {
  /** Where the next bytes go. */
  nextBuffer(): Buffer;
  /** @returns false: no more for now */
  read(byteCount: number, buffer: Uint8Array): boolean;
}

/** A socket that came from another process is made by Node, which then takes no reader: its handle is all that is needed. */
interface HandleOwner {
  _handle: object | null;
}

/**
 * The same connection with another socket around it, which reads into memory of the reader's choice: a stream would get
 * memory anew for each read. To be called before anything has been read; the socket that was given is of no use then.
 */
export function lendTo(reader: SocketReader, received: Socket): Socket {
  const owner = received as unknown as HandleOwner;
  const handle = owner._handle;
  owner._handle = null;
  received.destroy();
  const options = {
    handle,
    onread: {
      buffer: () => reader.nextBuffer(),
      callback: (byteCount: number, buffer: Uint8Array) => reader.read(byteCount, buffer),
    },
  };
  return new Socket(options as SocketConstructorOpts);
}

/**
 * Makes a stream like any other of a socket that had a reader: nothing is lost before somebody listens. The reader has
 * to `push` what comes from here on, and to say to the socket what that answers.
 */
export function becomeStream(socket: Socket): void {
  // Such a socket stops reading the moment that it is paused, and would never see the end of its connection then; a
  // stream reads on until its buffer is full.
  socket.pause = Duplex.prototype.pause as Socket['pause'];
  socket.resume = Duplex.prototype.resume as Socket['resume'];
  (socket as { readableFlowing: boolean | null }).readableFlowing = null;
  // Until somebody listens, too: only who reads sees the client go.
  socket.read(0);
}
