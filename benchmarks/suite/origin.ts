/** What all contenders stand in front of. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, hasNginx, startNginxWith, startScript } from '../support/contender.ts';
import type { Scope } from '../support/scope.ts';

/** More ports of the same process, so that balancers have something to choose from. */
const DESTINATIONS = 4;
const SIZES = [100_000, 10_000_000];

export interface Origin {
  /** Any of them answers everything; those that know only one destination take the first. */
  readonly ports: readonly number[];
  readonly kind: 'nginx' | 'Node.js';
}

/**
 * Answers 12 bytes for every path, N bytes for `/bytes/N`, and to a POST once it has read the body; echoes WebSockets at
 * `/socket`. It is nginx where there is one: it takes the least of the core that it shares with the load generator.
 */
export async function startOrigin(scope: Scope): Promise<Origin> {
  const morePorts = [];
  for (let count = 1; count < DESTINATIONS; count += 1) morePorts.push(await freePort());
  const script = await startScript('origin', 'support/origin.ts', 0, {}, morePorts.join(','));
  scope.teardown(() => script.stop());
  if (!hasNginx()) return { ports: [script.port, ...morePorts], kind: 'Node.js' };
  const ports: number[] = [];
  for (let count = 1; count < DESTINATIONS; count += 1) ports.push(await freePort());
  const nginx = await startNginxWith('origin', (port, directory) => {
    writeBodies(directory);
    return httpOf([port, ...ports], script.port, directory);
  });
  scope.teardown(() => nginx.stop());
  return { ports: [nginx.port, ...ports], kind: 'nginx' };
}

function writeBodies(directory: string): void {
  for (const size of SIZES) writeFileSync(join(directory, String(size)), Buffer.alloc(size, 'x'));
}

/** nginx answers `return` before it has read the body. Only on the way to another server does it read all of it. */
function httpOf(ports: readonly number[], echoPort: number, directory: string): string {
  const listen = ports.map((port) => `listen 127.0.0.1:${port} backlog=2048;`).join(' ');
  const inner = `unix:${directory}/answer.sock`;
  return `access_log off; default_type text/plain; sendfile on; tcp_nopush on; client_max_body_size 0;
    upstream answer { server ${inner}; keepalive 64; keepalive_requests 100000000; }
    server { listen ${inner}; location / { return 200 "hello world\\n"; } }
    server { ${listen}
      location / { if ($request_method = POST) { rewrite ^ /read last; } return 200 "hello world\\n"; }
      location /bytes/ { alias ${directory}/; }
      location = /read { internal; client_body_buffer_size 16m; proxy_pass http://answer; proxy_http_version 1.1;
        proxy_set_header Connection ""; proxy_set_header Content-Length ""; proxy_pass_request_body off; }
      location = /socket { proxy_pass http://127.0.0.1:${echoPort}; proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } }`;
}
