/** Handshakes of one worker: what they wait for, and how many there can be. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { Materials } from '../../../lib/auth/materials.ts';
import { CertificateIndex } from '../../../lib/proxy/tls/certificate-index.ts';
import { TlsListener } from '../../../lib/proxy/tls/tls-listener.ts';
import { createLogger } from '../../../lib/telemetry/logger.ts';
import type { TestOwner } from '../../helpers/test-owner.ts';
import { createAuthority } from './test-authority.ts';

const authority = await createAuthority(t);
const issued = await authority.issue();

async function openListener(owner: TestOwner, mostHandshakes?: number) {
  const materials = new Materials(() => {});
  const certificates = new CertificateIndex(materials);
  certificates.put('a.test', { certFile: '/cert', keyFile: '/key' });
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const listener = new TlsListener({
    certificates: () => {
      resolve();
      return certificates;
    },
    logger: createLogger({ level: 'silent', pretty: false, base: {} }),
    onSecure: (socket) => socket.end(`hello ${socket.serverName}`),
    onPlainHttp: (socket) => socket.destroy(),
    ...(mostHandshakes === undefined ? {} : { mostHandshakes }),
  });
  const server = createServer({ pauseOnConnect: true }, (socket) => listener.accept(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  owner.teardown(() => {
    listener.closeSlow(0);
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const giveFiles = () =>
    materials.take([
      { name: 'file:/cert', value: issued.cert },
      { name: 'file:/key', value: issued.key },
    ]);
  return { listener, port, asked, giveFiles };
}

t.test('a handshake waits for files that the primary has not spoken of yet', async (t) => {
  const { listener, port, asked, giveFiles } = await openListener(t);
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false });
  await asked;
  giveFiles();
  const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) });
  t.equal(String(bytes), 'hello a.test');
  t.same(listener.takeResults(), [['full', 1]]);
  t.same(listener.takeResults(), []);
  socket.destroy();
});

t.test('when there are too many the oldest gives way', async (t) => {
  const { listener, port } = await openListener(t, 3);
  const sockets = [];
  for (let count = 0; count < 4; count += 1) {
    const socket = connectTcp(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    sockets.push(socket);
  }
  await once(sockets[0]!.resume(), 'close', { signal: AbortSignal.timeout(10_000) });
  t.equal(listener.size, 3);
  t.same(listener.takeResults(), [['crowded', 1]]);
  t.same(
    sockets.map(({ destroyed }) => destroyed),
    [true, false, false, false],
  );
});
