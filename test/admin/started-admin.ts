/** The admin listener on a port of its own, with a token of each role. */
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { AdminServer } from '../../lib/admin/admin-server.ts';
import type { AdminTls } from '../../lib/admin/admin-tls.ts';
import type { StreamTiming } from '../../lib/admin/event-streams.ts';
import type { JwtSettings } from '../../lib/auth/jwt-verifier.ts';
import { openAuthenticator } from '../../lib/auth/open-authenticator.ts';
import { ROLES, type Role } from '../../lib/auth/roles.ts';
import { createToken } from '../../lib/auth/token-file.ts';
import { formatRequest, request } from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { InMemoryControlPlane } from './in-memory-control-plane.ts';

export interface CallOptions {
  /** `admin` unless given; null: none is sent. */
  readonly as?: Role | null;
  /** Sent as JSON unless it is a text, which is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface StartedAdmin {
  readonly server: AdminServer;
  readonly port: number;
  readonly controlPlane: InMemoryControlPlane;
  readonly tokens: Readonly<Record<Role, string>>;
  readonly stateDirectory: string;
  /** The lines of the log, parsed. */
  readonly logs: Record<string, unknown>[];
  notReady: string | null;
  renderMetrics: () => Promise<string>;
  /** Sends one request, on a connection of its own. `path` follows /api/gateway/. */
  call(method: string, path: string, options?: CallOptions): Promise<RawResponse>;
}

export interface AdminOptions {
  readonly streamTiming?: StreamTiming;
  readonly jwt?: JwtSettings;
  readonly tls?: AdminTls;
}

export async function startAdmin(
  owner: TestOwner,
  { streamTiming, jwt, tls }: AdminOptions = {},
): Promise<StartedAdmin> {
  const stateDirectory = await createTemporaryDirectory(owner);
  const tokens = {} as Record<Role, string>;
  for (const role of ROLES) {
    const order = { name: `${role}-token`, role, now: new Date(), expiresAt: null };
    tokens[role] = (await createToken(stateDirectory, order)).token;
  }
  const logs: Record<string, unknown>[] = [];
  const logger = pino({ level: 'warn' }, collectLines(logs));
  const settings = { environmentToken: null, jwt: jwt ?? null };
  const { authenticator } = await openAuthenticator(settings, stateDirectory, logger);
  const controlPlane = new InMemoryControlPlane();
  const probes = {
    notReadyBecause: () => started.notReady,
    metricsContentType: () => 'text/plain; version=0.0.4; charset=utf-8',
    renderMetrics: () => started.renderMetrics(),
  };
  const options = { controlPlane, probes, authenticator, logger, version: '1.2.3', tls: tls ?? null };
  const server = new AdminServer(streamTiming === undefined ? options : { ...options, streamTiming });
  const address = await server.listen('127.0.0.1', 0);
  owner.teardown(() => server.close());
  const port = Number(address.split(':').at(-1));
  const call = (method: string, path: string, options: CallOptions = {}): Promise<RawResponse> =>
    request(port, formatCall(tokens, method, `/api/gateway/${path}`, options));
  const started: StartedAdmin = {
    server,
    port,
    controlPlane,
    tokens,
    stateDirectory,
    logs,
    notReady: null,
    renderMetrics: async () => '# no metrics\n',
    call,
  };
  return started;
}

/** The text of a request to the management API. */
export function formatCall(
  tokens: Readonly<Record<Role, string>>,
  method: string,
  target: string,
  { as = 'admin', body, headers = {} }: CallOptions = {},
): string {
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  const fields = {
    ...(as === null ? {} : { Authorization: `Bearer ${tokens[as]}` }),
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...headers,
  };
  return formatRequest(method, target, fields, text);
}

function collectLines(logs: Record<string, unknown>[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().trim().split('\n')) logs.push(JSON.parse(line));
      done();
    },
  });
}
