/**
 * What connections cost in memory that are kept and not used: all processes of the gateway with them, against what
 * they were before.
 *
 *   node benchmarks/idle-connections.ts [connections, default 10000]
 */
import net from 'node:net';
import { oneRouteTo } from './suite/gateway-configuration.ts';
import { startOrigin } from './suite/origin.ts';
import { type Contender, startGatewayWith } from './support/contender.ts';
import { withScope } from './support/scope.ts';

const total = Number(process.argv[2] ?? 10_000);
const AT_ONCE = 100;
/** A connection counts for nothing before the gateway has warmed up. */
const WARM_UP_REQUESTS = 20_000;
const SETTLE_MS = 3_000;
const REQUEST = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';

/** Opens a connection and sends so many requests over it, one after the other. */
function connect(port: number, requests: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let left = requests;
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the gateway closed a connection')));
    socket.on('data', () => {
      left -= 1;
      if (left === 0) resolve(socket);
      else socket.write(REQUEST);
    });
    socket.write(REQUEST);
  });
}

async function openAll({ port }: Contender, sockets: net.Socket[]): Promise<void> {
  while (sockets.length < total) {
    const count = Math.min(AT_ONCE, total - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: count }, () => connect(port, 1)))));
  }
}

await withScope(async (scope) => {
  const origin = await startOrigin(scope);
  const flags = ['--max-connections', String(2 * total), '--max-connections-per-address', String(2 * total)];
  const gateway = await startGatewayWith(oneRouteTo(origin), 1, { flags });
  scope.teardown(() => gateway.stop());
  const warm = await Promise.all(
    Array.from({ length: AT_ONCE }, () => connect(gateway.port, WARM_UP_REQUESTS / AT_ONCE)),
  );
  const before = gateway.residentMegabytes();
  const sockets: net.Socket[] = [];
  await openAll(gateway, sockets);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const after = gateway.residentMegabytes();
  console.log(`${total} connections: ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB with them,`);
  console.log(`${(((after - before) * 1024) / total).toFixed(1)} kB each`);
  for (const socket of [...warm, ...sockets]) socket.removeAllListeners('close').destroy();
});
