/** A listener whose requests are answered by a test, with what the gateway answers its clients with. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { DEFAULT_LISTENER_LIMITS } from '../../lib/ipc/protocol.ts';
import { ClientConnection } from '../../lib/proxy/client-connection.ts';
import type { ClientRequest } from '../../lib/proxy/client-request.ts';
import { ClientResponse } from '../../lib/proxy/client-response.ts';
import { TrustedProxies } from '../../lib/proxy/trusted-proxies.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

type Answer = (response: ClientResponse, connection: ClientConnection) => void;

/** Serves every request as `answer` says. @returns the port */
export async function startResponseServer(owner: TestOwner, keepAliveMs: number, answer: Answer) {
  const taker = {
    onRequest(connection: ClientConnection, request: ClientRequest) {
      const task = {
        onRequestBroken() {},
        onClientDrained() {},
        onClosed() {},
        onFinished: () => connection.finish(task, response.closes),
      };
      const response = new ClientResponse(request, connection.socket, keepAliveMs, task);
      connection.run(task);
      answer(response, connection);
    },
    takesOver: () => false,
    onUpgrade() {},
    onUnreadable: ({ socket }: ClientConnection) => socket.destroy(),
  };
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const connection = new ClientConnection(socket, new TrustedProxies([]), DEFAULT_LISTENER_LIMITS, taker);
    owner.teardown(() => connection.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  owner.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}
