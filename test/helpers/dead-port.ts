import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { TestOwner } from './test-owner.ts';

/**
 * A TCP port of 127.0.0.1 on which nobody listens until the test is over. A port that was only found free may be given
 * to another process at any time; this one is taken, by a connection that leaves from it.
 */
export async function holdDeadPort(owner: TestOwner): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  const [peer] = await accepted;
  const { localPort = 0 } = client;
  owner.teardown(() => {
    for (const socket of [client, peer]) socket.destroy();
    server.close();
  });
  // Neither is a reason for the process to stay.
  for (const handle of [server, client, peer]) handle.unref();
  return localPort;
}
