/**
 * Plain configurations of other gateways, as their manuals give them for a reverse proxy at the edge: keep-alive to
 * the origin, WebSockets, X-Forwarded fields set anew, one prefix forwarded, and short time limits.
 */

/** @returns the text of an nginx.conf; nginx keeps its files in `directory` */
export function nginxConfiguration(port: number, originPort: number, directory: string): string {
  return `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log /dev/null;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  client_header_timeout 3s;
  client_body_timeout 3s;
  keepalive_timeout 3s;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream origin { server 127.0.0.1:${originPort}; keepalive 1; }
  server {
    listen 127.0.0.1:${port};
    location / { return 404; }
    location /public/ {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_read_timeout 3s;
      proxy_send_timeout 3s;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
    }
  }
}
`;
}

/** @returns the text of a haproxy.cfg */
export function haproxyConfiguration(port: number, originPort: number): string {
  return `
global
  maxconn 1024
  nbthread 1
defaults
  mode http
  timeout connect 3s
  timeout client 3s
  timeout server 3s
  timeout http-request 3s
  timeout http-keep-alive 3s
  timeout tunnel 3s
frontend edge
  bind 127.0.0.1:${port}
  http-request return status 404 unless { path_beg /public/ }
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend origin
backend origin
  http-reuse always
  server only 127.0.0.1:${originPort}
`;
}
