/** All that can be seen of a gateway, as texts to search. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { GatewayProcess } from '../helpers/gateway-process.ts';
import { connect, formatRequest, type RawClient, request } from '../helpers/raw-client.ts';
import type { RedisProcess } from '../helpers/redis-server.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { listWorkers } from '../helpers/worker-processes.ts';
import type { GuardedSecrets } from './guarded-secrets.ts';

const READS = [
  ...['config', 'status', 'instances', 'history', 'health', 'openapi.json'],
  ...['routes', 'clusters', 'issuers', 'consumers', 'certificates'],
] as const;

/** A text, and where it was found. */
export type Surface = readonly [where: string, text: string];

/** The management API of one gateway, asked with one token. */
export class GuardedAdmin {
  readonly #port: number;
  readonly #token: string;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  call(method: string, path: string, body?: unknown, token = this.#token): Promise<RawResponse> {
    const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
    const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const headers = { Authorization: `Bearer ${token}`, Connection: 'close', ...type };
    return request(this.#port, formatRequest(method, path, headers, text));
  }

  /** Opens the stream of events; what has come is to be read when the test is over. */
  async openEvents(owner: TestOwner): Promise<RawResponse> {
    const client = await connect(this.#port, { owner });
    client.send(formatRequest('GET', '/api/gateway/events', { Authorization: `Bearer ${this.#token}` }));
    return client.readHead();
  }

  /** Whatever can be read. */
  async readAll(): Promise<Surface[]> {
    const paths = [...READS.map((name) => `/api/gateway/${name}`), '/metrics', '/healthz', '/readyz'];
    return Promise.all(paths.map(async (path) => [path, textOf(await this.call('GET', path))] as const));
  }

  /** What would become of requests that bring secrets. */
  async explainAll({ tokens, apiKey, cookie, password }: GuardedSecrets): Promise<Surface[]> {
    const basic = `Basic ${Buffer.from(`alice:${password}`).toString('base64')}`;
    const described = [
      { url: `http://localhost/token?a=1&%61ccess=${tokens.file}`, headers: {} },
      { url: 'http://localhost/token', headers: { authorization: `Bearer ${tokens.variable}` } },
      { url: 'http://localhost/token', headers: { cookie: `a=1; session=${tokens.key}` } },
      { url: `http://localhost/key?key=${apiKey}`, headers: {} },
      { url: 'http://localhost/key', headers: { 'X-API-Key': apiKey } },
      { url: 'http://localhost/basic', headers: { authorization: basic } },
      { url: 'http://localhost/sticky', headers: { cookie: `session=${cookie}` } },
      { url: 'http://localhost/open/a', headers: { authorization: basic, cookie } },
    ];
    return Promise.all(
      described.map(async (one) => {
        const answer = await this.call('POST', '/api/gateway/explain', { method: 'GET', ...one });
        if (answer.status !== 200 || !answer.text.includes('"upstream"'))
          throw new Error(`not explained: ${one.url}: ${answer.text}`);
        return [`explanation of ${JSON.stringify(Object.keys(one.headers))}`, textOf(answer)] as const;
      }),
    );
  }
}

export function textOf({ startLine, headers, text }: RawResponse): string {
  return [startLine, JSON.stringify(headers), text].join('\n');
}

/** What its processes said, and what others on the host can see of them. */
export async function listProcessSurfaces(gateway: GatewayProcess): Promise<Surface[]> {
  const surfaces: Surface[] = [
    ['log', gateway.logs.map((line) => JSON.stringify(line)).join('\n')],
    ['standard error', gateway.stderr],
    ['command line of the primary', await readFile(`/proc/${gateway.pid}/cmdline`, 'utf8')],
  ];
  for (const pid of listWorkers(gateway).values()) {
    surfaces.push(['command line of a worker', await readFile(`/proc/${pid}/cmdline`, 'utf8')]);
  }
  return surfaces;
}

/** The environments of the workers, as their owner and root can see them. */
export async function listWorkerEnvironments(gateway: GatewayProcess): Promise<Surface[]> {
  const pids = [...listWorkers(gateway).values()];
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8')));
  return texts.map((text) => ['environment of a worker', text]);
}

export interface StateFile {
  readonly path: string;
  /** Of the permissions alone. */
  readonly mode: number;
  readonly text: string;
}

/** All files of a state directory, whatever is below it. */
export async function listStateFiles(directory: string): Promise<StateFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(
    paths.map(async (path) => ({
      path: path.slice(directory.length + 1),
      mode: (await stat(path)).mode & 0o777,
      text: await readFile(path, 'utf8'),
    })),
  );
}

/** All keys of a Redis with what they hold, in plain text: a dump may be compressed. */
export async function listRedisContents(redis: RedisProcess): Promise<Surface[]> {
  const keys = (await redis.command('KEYS', '*')).split('\n').filter((key) => key !== '');
  return Promise.all(keys.map(async (key) => [`Redis: ${key}`, await readKey(redis, key)] as const));
}

const READ_COMMANDS: Readonly<Record<string, (key: string) => readonly string[]>> = {
  string: (key) => ['GET', key],
  hash: (key) => ['HGETALL', key],
  stream: (key) => ['XRANGE', key, '-', '+'],
  zset: (key) => ['ZRANGE', key, '0', '-1'],
};

async function readKey(redis: RedisProcess, key: string): Promise<string> {
  const type = await redis.command('TYPE', key);
  const command = READ_COMMANDS[type];
  if (command === undefined) throw new Error(`${key} is a ${type}, which this test cannot read`);
  return `${key}\n${await redis.command(...command(key))}`;
}

/** Sees every command of every client of a Redis from now on; what came is `unread` of the client. */
export async function watchRedis(
  owner: TestOwner,
  redis: RedisProcess,
  password: string,
): Promise<RawClient> {
  const client = await connect(redis.port, { owner });
  client.send(`AUTH ${password}\r\nMONITOR\r\n`);
  await client.waitForBytes('+OK\r\n+OK\r\n');
  return client;
}
