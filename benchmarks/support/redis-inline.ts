import { once } from 'node:events';
import { connect } from 'node:net';

/** Sends Redis one command in a line and waits for its answer: sooner on its way than a program is started. */
export async function sendInline(port: number, command: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${command}\r\n`);
  await once(socket, 'data');
  socket.destroy();
}
