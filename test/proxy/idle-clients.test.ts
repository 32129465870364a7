/** Connections of clients between two requests: kept as long as the client was told, and then closed. */
import t from 'tap';
import { eventually } from '../helpers/eventually.ts';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest, type RawClient } from '../helpers/raw-client.ts';
import { answerOk, startProxiedOrigin } from './proxied-origin.ts';

type SixClients = [RawClient, RawClient, RawClient, RawClient, RawClient, RawClient];

const proxied = await startProxiedOrigin(t, {
  cluster: { pool: { maxConnections: 8 } },
  // Long enough for what has to be sent in time by a process that stands still for a moment.
  flags: ['--keep-alive-timeout-ms', '1000'],
});

t.test('one that is idle is closed, others are not', async (t) => {
  const clients = await Promise.all(Array.from({ length: 6 }, () => proxied.connect(t)));
  const [idle, waiting, pipelining, sending, uploading, silent] = clients as SixClients;
  const held: OriginConnection[] = [];
  proxied.origin.handler = (request, connection) => {
    if (request.target === '/') answerOk(request, connection);
    else held.push(connection);
  };
  for (const client of [waiting, sending, uploading, idle]) {
    client.send(formatRequest('GET', '/'));
    t.equal((await client.readResponse()).text, 'ok');
  }
  waiting.send(formatRequest('GET', '/waiting'));
  pipelining.send(formatRequest('GET', '/') + formatRequest('GET', '/pipelined'));
  t.equal((await pipelining.readResponse()).text, 'ok');
  uploading.send(formatRequest('PUT', '/uploading', { 'Content-Length': '4' }, 'bo'));
  await eventually(() => {
    // Empty lines before a request are none, but its sender is there (RFC 9112 §2.2).
    sending.send('\r\n');
    if (idle.connectionEnd === null) throw new Error('the idle connection is still open');
  });
  t.equal(idle.connectionEnd, 'closed');
  // All had their last answer before that one: it would have been closed with them, had they been idle.
  const others = [waiting, pipelining, sending, uploading, silent];
  t.same(
    others.map(({ connectionEnd }) => connectionEnd),
    [null, null, null, null, null],
  );
  for (const connection of held) connection.answer({ body: 'late' });
  for (const client of [waiting, pipelining, uploading]) t.equal((await client.readResponse()).text, 'late');
  sending.send(formatRequest('GET', '/'));
  t.equal((await sending.readResponse()).text, 'ok');
  silent.send(formatRequest('GET', '/'));
  t.equal((await silent.readResponse()).text, 'ok');
  t.equal(await silent.waitForClose(), 'closed', 'once it has had a request it is idle, too');
});

t.test('the time counts from the last answer', async (t) => {
  const client = await proxied.connect(t);
  proxied.origin.handler = answerOk;
  const other = await proxied.connect(t);
  other.send(formatRequest('GET', '/'));
  await other.readResponse();
  do {
    client.send(formatRequest('GET', '/'));
    await client.readResponse();
  } while (other.connectionEnd === null);
  t.equal(client.connectionEnd, null, 'one that is used lives on');
});
