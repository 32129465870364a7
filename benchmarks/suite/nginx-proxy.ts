/**
 * nginx as a proxy that does what the gateway does: the same fields to the origin, an id for each request, power of two
 * choices, connections kept, bodies passed on as they come. Pure.
 */
import type { Origin } from './origin.ts';

/** What a proxy shows its clients, in files. */
export interface ServerTls {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface NginxProxyOptions {
  /** Prefixes that have a location each; `/` matches all. */
  readonly prefixes: readonly string[];
  readonly accessLogFile?: string;
  readonly tls?: ServerTls;
}

/** What stands in the `http` block. */
export function nginxProxy(
  { ports }: Origin,
  port: number,
  { prefixes, accessLogFile, tls }: NginxProxyOptions,
): string {
  const servers = ports.map((each) => `server 127.0.0.1:${each};`).join(' ');
  const locations = prefixes.map((prefix) => `location ^~ ${prefix} { proxy_pass http://origin; }`);
  const certificate =
    tls === undefined ? '' : `ssl_certificate ${tls.certFile}; ssl_certificate_key ${tls.keyFile};`;
  return `access_log ${accessLogFile ?? 'off'};
    upstream origin { random two least_conn; ${servers} keepalive 1024; keepalive_requests 100000000; }
    server { listen 127.0.0.1:${port} backlog=2048 ${tls === undefined ? '' : 'ssl'}; ${certificate}
      ${PROXYING} add_header X-Request-Id $request_id;
      ${locations.join('\n      ')}
      location = /socket { proxy_pass http://origin; proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } }`;
}

/** Without temporary files: they would be work that nobody else does. */
const PROXYING = `client_max_body_size 0; proxy_request_buffering off; proxy_max_temp_file_size 0;
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Request-Id $request_id;`;
