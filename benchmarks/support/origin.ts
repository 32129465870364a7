/** A small origin for when nginx is not there: node origin.ts _ PORT */
import http from 'node:http';

const body = 'hello world\n';
const server = http.createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[3]), '127.0.0.1');
