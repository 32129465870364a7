/**
 * The least that a proxy on node:http and undici can do: no routes, one destination, and of what RFC 9110 asks only
 * that hop-by-hop fields stay here. node undici-proxy.ts ORIGIN_PORT PORT
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'te', 'upgrade', 'expect']);
const [originPort = '', port = ''] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${originPort}`, { connections: 1_024, pipelining: 1 });

function forwardedHeaders({ rawHeaders, socket }: IncomingMessage): string[] {
  const headers = ['x-forwarded-for', socket.remoteAddress ?? ''];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!HOP_BY_HOP.has(name.toLowerCase())) headers.push(name, rawHeaders[index + 1] ?? '');
  }
  return headers;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function createHandler(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      response.on('drain', () => controller.resume());
      response.on('close', () => {
        if (!response.writableFinished) controller.abort(new Error('the client left'));
      });
    },
    onResponseStart(_controller, status, headers) {
      for (const name of HOP_BY_HOP) delete headers[name];
      response.writeHead(status, headers);
    },
    onResponseData(controller, chunk) {
      if (!response.write(chunk)) controller.pause();
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError() {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    },
  };
}

const server = http.createServer((request, response) => {
  const options = {
    path: request.url ?? '/',
    method: request.method as Dispatcher.HttpMethod,
    headers: forwardedHeaders(request),
    body: hasBody(request) ? request : null,
  };
  pool.dispatch(options, createHandler(response));
});
server.listen(Number(port), '127.0.0.1');
