/** Messages over WebSockets that are echoed: each connection sends the next one when the last one is back. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { percentile } from '../support/figures.ts';
import type { LoadResult } from './workload.ts';

const MESSAGE = Buffer.alloc(128, 'message ');
const OPEN_LIMIT_MS = 5_000;

/** A message is one there and back. */
export async function loadByMessages(
  port: number,
  connections: number,
  seconds: number,
): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const latenciesMs: number[] = [];
  let failed = 0;
  const startMs = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      failed += (await converse(socket, startMs + seconds * 1_000, latenciesMs)) ? 0 : 1;
    }),
  );
  const elapsedMs = performance.now() - startMs;
  for (const socket of sockets) socket.terminate();
  return {
    requests: latenciesMs.length,
    failed,
    seconds: elapsedMs / 1_000,
    p50Ms: percentile(latenciesMs, 50),
    p99Ms: percentile(latenciesMs, 99),
  };
}

async function open(port: number): Promise<WebSocket> {
  const options = { perMessageDeflate: false, handshakeTimeout: OPEN_LIMIT_MS };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, options);
  await once(socket, 'open');
  return socket;
}

/** @returns whether every message came back as it was sent */
function converse(socket: WebSocket, endMs: number, latenciesMs: number[]): Promise<boolean> {
  return new Promise((resolve) => {
    let sentMs = performance.now();
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
    socket.on('message', (data: Buffer) => {
      const nowMs = performance.now();
      if (!data.equals(MESSAGE)) return resolve(false);
      latenciesMs.push(nowMs - sentMs);
      if (nowMs >= endMs) return resolve(true);
      sentMs = nowMs;
      socket.send(MESSAGE);
    });
    socket.send(MESSAGE);
  });
}
