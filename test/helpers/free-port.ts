import { type AddressInfo, createServer } from 'node:net';

/** A TCP port of 127.0.0.1 on which nothing listens now; another process may take it at any time. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
