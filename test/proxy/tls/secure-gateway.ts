/** A gateway with a TLS port in front of one origin that answers with what it was asked. */
import type { ConnectionOptions } from 'node:tls';
import type { Certificate, Route } from '../../../lib/core/config/model.ts';
import { type GatewayProcess, startGateway } from '../../helpers/gateway-process.ts';
import { connect, formatRequest, type RawClient } from '../../helpers/raw-client.ts';
import type { RawResponse } from '../../helpers/response-reader.ts';
import { type ScriptedOrigin, startOrigin } from '../../helpers/scripted-origin.ts';
import type { TestOwner } from '../../helpers/test-owner.ts';

export interface SecureGatewayOptions {
  readonly workers?: number;
  readonly routes?: Readonly<Record<string, Partial<Route>>>;
  readonly logLevel?: string;
  /** In place of the scripted origin. */
  readonly originUrl?: string;
}

export class SecureGateway {
  readonly gateway: GatewayProcess;
  readonly origin: ScriptedOrigin;
  readonly #owner: TestOwner;
  readonly #originUrl: string;
  readonly #routes: Readonly<Record<string, Partial<Route>>>;

  constructor(
    owner: TestOwner,
    gateway: GatewayProcess,
    origin: ScriptedOrigin,
    options: SecureGatewayOptions,
  ) {
    this.#owner = owner;
    this.gateway = gateway;
    this.origin = origin;
    this.#originUrl = options.originUrl ?? origin.url;
    this.#routes = options.routes ?? {};
  }

  /** The port that speaks TLS. */
  get port(): number {
    const ready = this.gateway.logs.find(({ msg }) => msg === 'gateway ready');
    return Number(/:(\d+)$/.exec(String(ready?.listenTls))?.[1]);
  }

  /** A connection that trusts any certificate, unless `tls` says otherwise. */
  connect(servername: string, tls: ConnectionOptions = {}): Promise<RawClient> {
    const name = servername === '' ? {} : { servername };
    return connect(this.port, { owner: this.#owner, tls: { rejectUnauthorized: false, ...name, ...tls } });
  }

  /** One request on a connection of its own, for the name that the connection was made for unless given. */
  async request(servername: string, tls: ConnectionOptions = {}, host = servername): Promise<RawResponse> {
    const client = await this.connect(servername, tls);
    try {
      client.send(formatRequest('GET', '/', host === '' ? {} : { Host: host }));
      return await client.readResponse();
    } finally {
      client.close();
    }
  }

  async putCertificates(certificates: Readonly<Record<string, Certificate>>): Promise<void> {
    await this.gateway.applyConfig(configurationOf(this.#originUrl, certificates, this.#routes));
  }

  /** How many handshakes ended so, up to now. */
  async handshakes(result: string): Promise<number> {
    const metrics = await this.gateway.metrics();
    return metrics.get(`gateway_tls_handshakes_total{result="${result}"}`) ?? 0;
  }
}

export async function startSecureGateway(
  owner: TestOwner,
  certificates: Readonly<Record<string, Certificate>>,
  options: SecureGatewayOptions = {},
): Promise<SecureGateway> {
  const origin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner });
  const gateway = await startGateway(owner, {
    config: configurationOf(options.originUrl ?? origin.url, certificates, options.routes ?? {}),
    workers: options.workers ?? 1,
    accessLog: 'off',
    flags: ['--listen-tls', '127.0.0.1:0'],
    ...(options.logLevel === undefined ? {} : { logLevel: options.logLevel }),
  });
  return new SecureGateway(owner, gateway, origin, options);
}

function configurationOf(
  originUrl: string,
  certificates: Readonly<Record<string, Certificate>>,
  routes: Readonly<Record<string, Partial<Route>>>,
): object {
  const all = Object.entries({ all: {}, ...routes });
  return {
    clusters: { main: { destinations: { only: { url: originUrl } } } },
    certificates,
    routes: Object.fromEntries(
      all.map(([id, route]) => [id, { cluster: 'main', match: { path: '/{**rest}' }, ...route }]),
    ),
  };
}
