/** A gateway with one worker in front of scripted origins, for tests of what it makes of a request. */
import type { Certificate, Cluster, Consumer, Issuer, Route } from '../../lib/core/config/model.ts';
import { type GatewayProcess, startGateway } from '../helpers/gateway-process.ts';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import type { OriginRequest } from '../helpers/origin-request.ts';
import {
  type ClientOptions,
  connect,
  formatRequest,
  type RawClient,
  request,
} from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import { type OriginHandler, type ScriptedOrigin, startOrigin } from '../helpers/scripted-origin.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

export interface ProxySettings {
  /** A route for every path to `main`, unless given. */
  readonly routes?: Readonly<Record<string, Partial<Route>>>;
  /** Added to the cluster `main`, whose one destination is the scripted origin. */
  readonly cluster?: Partial<Cluster>;
  readonly clusters?: Readonly<Record<string, Cluster>>;
  readonly issuers?: Readonly<Record<string, Issuer>>;
  readonly consumers?: Readonly<Record<string, Consumer>>;
  readonly certificates?: Readonly<Record<string, Certificate>>;
  /** Off unless given. */
  readonly accessLog?: 'on';
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** What became of one request: as the origin got it, and what the client got back. */
export interface Exchanged {
  readonly received: OriginRequest;
  readonly response: RawResponse;
}

export const answerOk: OriginHandler = (_: OriginRequest, connection: OriginConnection) =>
  connection.answer({ body: 'ok' });

export class ProxiedOrigin {
  readonly gateway: GatewayProcess;
  readonly origin: ScriptedOrigin;

  constructor(gateway: GatewayProcess, origin: ScriptedOrigin) {
    this.gateway = gateway;
    this.origin = origin;
  }

  connect(owner: TestOwner, options: ClientOptions = {}): Promise<RawClient> {
    return connect(this.gateway.port, { owner, ...options });
  }

  /** Sends one request on a connection of its own and gives the response, whoever made it. */
  request(text: string | Buffer, options: ClientOptions = {}): Promise<RawResponse> {
    return request(this.gateway.port, text, options);
  }

  /** Sends one request that must get to the origin, which answers as `handler` does. */
  async exchange(
    text: string | Buffer,
    handler: OriginHandler = answerOk,
    options: ClientOptions = {},
  ): Promise<Exchanged> {
    this.origin.handler = handler;
    const arrived = this.origin.requestArrived();
    const [received, response] = await Promise.all([arrived, this.request(text, options)]);
    return { received, response };
  }

  /**
   * Sends bytes that the gateway must answer by itself, closing the connection, and proves that nothing of
   * them went on: the pool has one connection, and the request before and the one after follow each other on it.
   * @throws Error where something did
   */
  async requestForwardingNothing(text: string | Buffer): Promise<RawResponse> {
    const before = (await this.exchange(formatRequest('GET', '/before'))).received;
    const { acceptedConnections, requests, malformed } = this.origin;
    const [requestCount, malformedCount] = [requests.length, malformed.length];
    const response = await this.#requestUntilClose(text);
    const after = (await this.exchange(formatRequest('GET', '/after'))).received;
    const isUntouched =
      this.origin.acceptedConnections === acceptedConnections &&
      requests.length === requestCount + 1 &&
      malformed.length === malformedCount &&
      after.connectionNumber === before.connectionNumber &&
      after.startLine === 'GET /after HTTP/1.1';
    if (isUntouched) return response;
    const seen = requests.slice(requestCount).map((request) => request.headBytes.toString('latin1'));
    throw new Error(`something was forwarded: ${JSON.stringify({ seen, malformed })}`);
  }

  /** The response, once the gateway has also closed the connection, with nothing after the response. */
  async #requestUntilClose(text: string | Buffer): Promise<RawResponse> {
    const client = await connect(this.gateway.port);
    try {
      client.send(text);
      const response = await client.readResponse();
      await client.waitForClose();
      if (client.unread.length > 0) throw new Error(`more came: ${client.unread.toString('latin1')}`);
      return response;
    } finally {
      client.close();
    }
  }
}

/** Starts both. Requests are tried once, on one upstream connection, unless `settings.cluster` says otherwise. */
export async function startProxiedOrigin(
  owner: TestOwner,
  settings: ProxySettings = {},
): Promise<ProxiedOrigin> {
  const origin = await startOrigin(answerOk, { owner });
  const main: Cluster = {
    destinations: { only: { url: origin.url } },
    retry: { attempts: 1 },
    pool: { maxConnections: 1, idleMs: 60_000 },
    ...settings.cluster,
  };
  const routes = Object.entries(settings.routes ?? { all: {} }).map(([id, route]) => [
    id,
    { cluster: 'main', match: { path: '/{**rest}' }, ...route },
  ]);
  const { flags, environment, issuers, consumers, certificates } = settings;
  const config = {
    clusters: { main, ...settings.clusters },
    ...(issuers === undefined ? {} : { issuers }),
    ...(consumers === undefined ? {} : { consumers }),
    ...(certificates === undefined ? {} : { certificates }),
    routes: Object.fromEntries(routes),
  };
  const gateway = await startGateway(owner, {
    config,
    accessLog: settings.accessLog ?? 'off',
    ...(flags === undefined ? {} : { flags }),
    ...(environment === undefined ? {} : { environment }),
  });
  return new ProxiedOrigin(gateway, origin);
}

/** The code in a problem document of the gateway; undefined where the response is something else. */
export function problemCode(response: RawResponse): string | undefined {
  if (response.header('content-type') !== 'application/problem+json') return undefined;
  const problem: { readonly code?: string } = JSON.parse(response.text);
  return problem.code;
}

/** Status and code together, as tables of tests compare them. */
export function outcome(response: RawResponse): readonly [number, string | undefined] {
  return [response.status, problemCode(response)];
}
