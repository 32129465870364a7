/** A connection for each request, so many at a time; autocannon does not count the answers of such. */
import { connect } from 'node:net';
import { percentile } from '../support/figures.ts';
import type { LoadResult } from './workload.ts';

const LIMIT_MS = 10_000;
const END = 'hello world\n';
const REQUEST = 'GET /r0/any HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n';

export async function loadByConnections(
  port: number,
  parallel: number,
  seconds: number,
): Promise<LoadResult> {
  const startMs = performance.now();
  const latenciesMs: number[] = [];
  let failed = 0;
  const run = async (): Promise<void> => {
    while (performance.now() - startMs < seconds * 1_000) {
      const begunMs = performance.now();
      if (await askOnce(port)) latenciesMs.push(performance.now() - begunMs);
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: parallel }, run));
  return {
    requests: latenciesMs.length,
    failed,
    seconds: (performance.now() - startMs) / 1_000,
    p50Ms: percentile(latenciesMs, 50),
    p99Ms: percentile(latenciesMs, 99),
  };
}

/**
 * From before the connection until it is closed. Some proxies leave that to the client, whatever it said.
 * @returns whether the answer was whole, and 200
 */
function askOnce(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, timeout: LIMIT_MS });
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text += part;
      if (text.endsWith(END)) socket.end();
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(text.startsWith('HTTP/1.1 200 ') && text.endsWith(END)));
    socket.write(REQUEST);
  });
}
