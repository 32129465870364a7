/** A gateway that stops says goodbye on its WebSockets and waits for nobody who does not leave. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { startScriptedClusters } from './scripted-clusters.ts';
import { ACCEPT_FIELDS, echo, formatUpgrade, openWebSocket, startEchoOrigin } from './websocket-peers.ts';

const CLOSE_1001 = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

t.test('a SIGTERM closes WebSockets with 1001 at both ends, and the gateway exits with 0', async (t) => {
  const origin = await startEchoOrigin(t);
  const proxy = await startScriptedClusters(t, { echo: { origins: 0, urls: [origin.url] } });
  const sockets = await Promise.all(Array.from({ length: 5 }, () => openWebSocket(t, proxy.port, '/echo/')));
  for (const socket of sockets) t.equal(await echo(socket, 'hello'), 'hello');
  const codes = sockets.map(async (socket) => (await once(socket, 'close'))[0]);
  const atOrigin = origin.opened.map(async ({ socket }) => (await once(socket, 'close'))[0]);
  proxy.gateway.signal('SIGTERM');
  t.same(await Promise.all(codes), Array(5).fill(1001));
  t.same(await Promise.all(atOrigin), Array(5).fill(1001));
  t.same(await proxy.gateway.exited, { code: 0, signal: null });
  t.same(proxy.workerTroubles(), []);
});

t.test('the goodbye does not cut a frame in two, and the stubborn are cut off', async (t) => {
  const proxy = await startScriptedClusters(t, { raw: {} });
  const opened = Promise.withResolvers<Socket>();
  proxy.origin('raw').handler = (_, connection) => opened.resolve(connection.switchProtocols(ACCEPT_FIELDS));
  const client = await proxy.connect(t);
  client.send(formatUpgrade('/raw/'));
  await client.readResponse();
  const atOrigin = await opened.promise;
  atOrigin.on('error', () => {});
  // A frame of five bytes, of which two have gone.
  atOrigin.write(Buffer.from([0x82, 0x05, 1, 2]));
  await client.waitForBytes('\x82\x05\x01\x02');
  const kept = await proxy.connect(t);
  const isDraining = async () => {
    kept.send(formatRequest('GET', '/nowhere'));
    return (await kept.readResponse()).header('connection') === 'close';
  };
  proxy.gateway.signal('SIGTERM');
  await proxy.waitUntil(isDraining, 'the worker never drains');
  atOrigin.write(Buffer.from([3, 4, 5]));
  await client.waitForBytes(CLOSE_1001.toString('latin1'));
  t.same(client.unread, Buffer.concat([Buffer.from([0x82, 0x05, 1, 2, 3, 4, 5]), CLOSE_1001]));
  await client.waitForClose();
  t.same(await proxy.gateway.exited, { code: 0, signal: null });
});
