/** What a client gets of pieces that are valid while they are passed on, and no longer. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { DEFAULT_LISTENER_LIMITS } from '../../lib/ipc/protocol.ts';
import { ClientResponse } from '../../lib/proxy/client-response.ts';
import { createHttpServer } from '../../lib/proxy/http-server.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';

const OWNER = { onClientDrained() {}, onClosed() {} };

t.test('a borrowed piece is not read again after it was passed on', async (t) => {
  for (const headers of [[], ['content-length', '20000']]) {
    const http = createHttpServer(DEFAULT_LISTENER_LIMITS);
    http.on('request', (incoming, response) => {
      const answer = new ClientResponse(incoming, response, OWNER);
      answer.writeHead(200, 'OK', headers, 'id', null, null, false);
      const piece = Buffer.alloc(10_000);
      for (const letter of 'ab') {
        piece.fill(letter);
        answer.writeData(piece, true, false);
        piece.fill('x');
      }
      if (headers.length === 0) answer.end();
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    t.teardown(() => http.close());
    const client = await connect((http.address() as AddressInfo).port);
    client.send(formatRequest('GET', '/'));
    const { text } = await client.readResponse();
    t.ok(text === 'a'.repeat(10_000) + 'b'.repeat(10_000), headers.join(': '));
    client.close();
  }
});
