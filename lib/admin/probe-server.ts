/** The admin listener: health, readiness and metrics, which need no token. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ProbeSource {
  /** Why the instance is not ready; null when every worker serves the current configuration. */
  notReadyBecause(): string | null;
  metricsContentType(): string;
  renderMetrics(): Promise<string>;
}

const TIMEOUT_MS = 10_000;

export class ProbeServer {
  readonly #source: ProbeSource;
  readonly #server: http.Server;

  constructor(source: ProbeSource) {
    this.#source = source;
    this.#server = http.createServer(
      { requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, connectionsCheckingInterval: 1_000 },
      (request, response) => {
        this.#answer(request, response).catch((error: Error) => response.destroy(error));
      },
    );
  }

  /** @returns where it listens, as host:port. @throws the system's error, e.g. EADDRINUSE */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve());
    });
    const { address, port: chosen, family } = this.#server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${chosen}` : `${address}:${chosen}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, 405, 'text/plain', 'only GET is served here\n', { allow: 'GET, HEAD' });
      return;
    }
    const path = request.url?.split('?')[0];
    if (path === '/healthz') send(response, 200, 'text/plain', 'ok\n');
    else if (path === '/readyz') this.#sendReadiness(response);
    else if (path === '/metrics') {
      send(response, 200, this.#source.metricsContentType(), await this.#source.renderMetrics());
    } else send(response, 404, 'text/plain', 'there are /healthz, /readyz and /metrics\n');
  }

  #sendReadiness(response: ServerResponse): void {
    const reason = this.#source.notReadyBecause();
    if (reason === null) send(response, 200, 'text/plain', 'ready\n');
    else send(response, 503, 'text/plain', `not ready: ${reason}\n`);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}
