/** http-proxy-3 as its README shows it, with a keep-alive agent: node http-proxy-3.ts ORIGIN_PORT PORT */
import http from 'node:http';
import { createProxyServer } from 'http-proxy-3';

const [originPort = '', port = ''] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1_024 });
const proxy = createProxyServer({ target: `http://127.0.0.1:${originPort}`, agent, xfwd: true });
proxy.on('error', () => {});
const server = http.createServer((request, response) => void proxy.web(request, response));
server.on('upgrade', (request, socket, head) => void proxy.ws(request, socket, head));
server.listen(Number(port), '127.0.0.1');
