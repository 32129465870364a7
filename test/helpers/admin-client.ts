/** The management API of a gateway, asked with the token that its first start left in the state directory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChangeReceipt, InstanceStatus } from '../../lib/admin/control-plane.ts';
import type { Problem } from '../../lib/core/config/problem.ts';
import { formatRequest, request } from './raw-client.ts';
import type { RawResponse } from './response-reader.ts';

/** Beyond what the gateway itself may wait. */
const ANSWER_LIMIT_MS = 65_000;

/** A receipt, or a problem document. */
interface WriteAnswer extends Partial<ChangeReceipt> {
  readonly code?: string;
  readonly detail?: string;
  readonly currentRevision?: number;
  readonly written?: string;
  readonly problems?: readonly Problem[];
}

export interface CallOptions {
  readonly body?: unknown;
  /** The revision that has to be there. */
  readonly ifMatch?: number;
}

export interface WriteResult {
  readonly status: number;
  readonly body: WriteAnswer;
}

export class AdminClient {
  readonly #port: () => number;
  readonly #stateDirectory: string;
  #token: string | null = null;

  /** @param port of the admin listener, asked for at each call */
  constructor(port: () => number, stateDirectory: string) {
    this.#port = port;
    this.#stateDirectory = stateDirectory;
  }

  /** Sends one request, on a connection of its own. `path` follows /api/gateway/. */
  async call(method: string, path: string, { body, ifMatch }: CallOptions = {}): Promise<RawResponse> {
    this.#token ??= (await readFile(join(this.#stateDirectory, 'admin.token'), 'utf8')).trim();
    const headers = {
      Authorization: `Bearer ${this.#token}`,
      Connection: 'close',
      ...(ifMatch === undefined ? {} : { 'If-Match': `"${ifMatch}"` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
    const text = body === undefined ? '' : JSON.stringify(body);
    return request(this.#port(), formatRequest(method, `/api/gateway/${path}`, headers, text), {
      limitMs: ANSWER_LIMIT_MS,
    });
  }

  /** A write, whatever becomes of it. */
  async write(method: string, path: string, options: CallOptions = {}): Promise<WriteResult> {
    const { status, text } = await this.call(method, path, options);
    return { status, body: JSON.parse(text) as WriteAnswer };
  }

  /** Puts a route or a cluster, waiting for all unless `query` says something else. */
  put(
    collection: string,
    id: string,
    body: unknown,
    query = 'wait=all&timeoutMs=20000',
  ): Promise<WriteResult> {
    return this.write('PUT', `${collection}/${id}?${query}`, { body });
  }

  async status(): Promise<InstanceStatus> {
    return (await this.#read('status')) as InstanceStatus;
  }

  /** The configuration that the instance holds. */
  async configuration(): Promise<unknown> {
    return this.#read('config');
  }

  async #read(path: string): Promise<unknown> {
    const { status, text } = await this.call('GET', path);
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${text}`);
    return JSON.parse(text);
  }
}
