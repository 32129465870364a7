/**
 * An origin: node origin.ts _ PORT [MORE_PORTS,…]. Answers 12 bytes, under `/bytes/N` so many; who sends a body is
 * answered once it is read; WebSockets are echoed.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';

const HELLO = Buffer.from('hello world\n');
const bodies = new Map<string, Buffer>();

function bodyFor(url: string): Buffer {
  if (!url.startsWith('/bytes/')) return HELLO;
  const body = bodies.get(url) ?? Buffer.alloc(Number(url.slice('/bytes/'.length)), 'x');
  bodies.set(url, body);
  return body;
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const body = bodyFor(request.url ?? '/');
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
}

const echo = new WebSocketServer({ noServer: true, perMessageDeflate: false });
echo.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on('error', () => {});
});

const [port = '', morePorts = ''] = process.argv.slice(3);
for (const each of [port, ...morePorts.split(',').filter(Boolean)]) {
  const server = http.createServer((request, response) => {
    request.resume();
    if (request.method === 'POST') request.on('end', () => answer(request, response));
    else answer(request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    echo.handleUpgrade(request, socket, head, (webSocket) => echo.emit('connection', webSocket, request));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(Number(each), '127.0.0.1');
}
