/** @fastify/http-proxy as its README shows it: node fastify-http-proxy.ts ORIGIN_PORT PORT */
import httpProxy from '@fastify/http-proxy';
import { fastify } from 'fastify';

const [originPort = '', port = ''] = process.argv.slice(2);
const server = fastify({ forceCloseConnections: true });
await server.register(httpProxy, {
  upstream: `http://127.0.0.1:${originPort}`,
  websocket: true,
  undici: { connections: 1_024, pipelining: 1 },
});
await server.listen({ port: Number(port), host: '127.0.0.1' });
