/** HAProxy with the same work as the others; it is optional. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, type StartOptions, start } from '../support/contender.ts';
import type { ServerTls } from './nginx-proxy.ts';
import type { Origin } from './origin.ts';

export interface HaproxyOptions extends StartOptions {
  readonly prefixes: readonly string[];
  readonly tls?: ServerTls;
}

/** Null where HAProxy is not installed. */
export async function startHaproxy(
  { ports }: Origin,
  { prefixes, tls, ...options }: HaproxyOptions,
): Promise<Contender | null> {
  const file = ['/usr/sbin/haproxy', '/usr/bin/haproxy', '/usr/local/sbin/haproxy'].find(existsSync);
  if (file === undefined) return null;
  const command = (port: number, directory: string) => {
    const [settings, map, pem] = ['haproxy.cfg', 'routes.map', 'server.pem'].map((name) =>
      join(directory, name),
    );
    writeFileSync(map!, `${prefixes.map((prefix) => `${prefix} origin`).join('\n')}\n`);
    if (tls !== undefined)
      writeFileSync(pem!, readFileSync(tls.certFile) + readFileSync(tls.keyFile, 'utf8'));
    const bind = `127.0.0.1:${port} backlog 2048${tls === undefined ? '' : ` ssl crt ${pem}`}`;
    writeFileSync(settings!, settingsFor(ports, bind, map!));
    return { file, words: ['-db', '-q', '-f', settings!] };
  };
  return start('HAProxy', command, options);
}

function settingsFor(ports: readonly number[], bind: string, map: string): string {
  const servers = ports.map((port, index) => `  server d${index} 127.0.0.1:${port}`);
  return `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
frontend clients
  bind ${bind}
  unique-id-format %[uuid()]
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-after-response set-header X-Request-Id %[unique-id]
  use_backend %[path,map_beg(${map})]
backend origin
  balance random(2)
  http-reuse always
${servers.join('\n')}
`;
}
