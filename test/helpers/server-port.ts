import { createServer } from 'node:net';

/** A Redis node talks to the others of its cluster on the port that lies this much higher. */
const BUS_OFFSET = 10_000;
const FIRST_PORT = 11_000;
const LAST_PORT = 21_999;
const MAX_ATTEMPTS = 100;

/**
 * A TCP port of 127.0.0.1 for a server that stops and starts again on it. Nothing listens there now, nor on
 * the port 10,000 higher. Both lie below those that the system gives to clients and to port 0, so that
 * nobody is handed them meanwhile.
 */
export async function findServerPort(): Promise<number> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) return port;
  }
  throw new Error(`no free port from ${FIRST_PORT} to ${LAST_PORT}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
