/**
 * A day's traffic in small: requests with aborts and resets mixed in, then the workers' memory against what
 * it was after the first tenth, and the sockets that are left.
 *
 *   node benchmarks/soak.ts [requests, default 2000000]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from './support/contender.ts';

const total = Number(process.argv[2] ?? 2_000_000);
const CONNECTIONS = 64;
const SETTLE_MS = 8_000;

/** One request in 200 is reset by the origin, half of those within the body. */
const origin = http.createServer((request, response) => {
  request.resume();
  const chance = Math.random();
  if (chance < 0.0025) {
    request.socket.resetAndDestroy();
  } else if (chance < 0.005) {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('x'.repeat(100), () => request.socket.resetAndDestroy());
  } else {
    response.end('hello world\n');
  }
});
origin.keepAliveTimeout = 30_000;
const originPort = await freePort();
await new Promise<void>((resolve) => origin.listen(originPort, '127.0.0.1', resolve));

const directory = mkdtempSync(join(tmpdir(), 'gateway-soak-'));
const config = join(directory, 'gateway.json');
writeFileSync(
  config,
  JSON.stringify({
    clusters: { origin: { destinations: { origin: { url: `http://127.0.0.1:${originPort}` } } } },
    routes: { all: { match: {}, cluster: 'origin' } },
  }),
);
const binary = fileURLToPath(new URL('../bin/gateway', import.meta.url));
const words = ['start', '--config', config, '--state', join(directory, 'state'), '--listen', '127.0.0.1:0'];
const gateway = spawn(
  process.execPath,
  [binary, ...words, '--admin', '127.0.0.1:0', '--workers', '2', '--access-log', 'off'],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const { listen, admin } = await new Promise<{ listen: string; admin: string }>((resolve) => {
  createInterface({ input: gateway.stdout }).on('line', (line) => {
    const record = JSON.parse(line) as { msg: string; listen: string; admin: string };
    if (record.msg === 'gateway ready') resolve(record);
  });
});
const port = Number(listen.split(':')[1]);

async function readMetric(name: string): Promise<number> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:{.*})? (\\S+)$`, 'gm'))].map(([, value]) =>
    Number(value),
  );
  return values.reduce((sum, value) => sum + value, 0);
}

/** Clients that ask and leave: at once, or within the answer. */
async function abortSome(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await new Promise<void>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.write('GET /abort HTTP/1.1\r\nhost: a\r\n\r\n');
        if (index % 2 === 0) socket.resetAndDestroy();
        else socket.once('data', () => socket.destroy());
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
  }
}

/**
 * One keep-alive client that asks again as soon as it is answered, and connects again where the connection is
 * lost. Written here because autocannon does not come back from a reset in all states.
 */
function ask(left: { requests: number }): Promise<void> {
  return new Promise((resolve) => {
    if (left.requests <= 0) {
      resolve();
      return;
    }
    let received = '';
    const socket = net.connect(port, '127.0.0.1', next);
    function next(): void {
      received = '';
      left.requests -= 1;
      if (left.requests < 0) socket.end();
      else socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    }
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      const head = received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
      if (head !== -1 && received.length >= head + 4 + length) next();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(ask(left)));
  });
}

async function drive(requests: number): Promise<void> {
  const left = { requests };
  const clients = Array.from({ length: CONNECTIONS }, () => ask(left));
  await Promise.all([...clients, abortSome(Math.floor(requests / 200))]);
}

async function settledMegabytes(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return (await readMetric('gateway_worker_resident_memory_bytes')) / 1_048_576;
}

await drive(total / 10);
const early = await settledMegabytes();
await drive(total - total / 10);
const late = await settledMegabytes();
console.log(`requests: ${await readMetric('gateway_requests_total')}`);
console.log(
  `workers' memory after the first tenth: ${early.toFixed(0)} MB, at the end: ${late.toFixed(0)} MB (${((100 * late) / early - 100).toFixed(0)} %)`,
);
console.log(`client connections left: ${await readMetric('gateway_worker_connections')}`);
console.log(`requests in flight: ${await readMetric('gateway_requests_in_flight')}`);
const originConnections = await new Promise<number>((resolve) =>
  origin.getConnections((_error, count) => resolve(count)),
);
console.log(`connections to the origin left: ${originConnections}`);
gateway.kill('SIGTERM');
await new Promise((resolve) => gateway.once('exit', resolve));
origin.close();
origin.closeAllConnections();
rmSync(directory, { recursive: true, force: true });
