/** The management API as the commands use it. */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import type { Problem } from '../../core/config/problem.ts';
import { ERRORS } from '../../core/errors.ts';
import { explainTlsFailure } from './connection-security.ts';

export interface ApiProblem {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly problems?: readonly Problem[];
  readonly currentRevision?: number;
}

/** The gateway refused, or failed; `problem` is what it answered. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: ApiProblem;
  constructor(status: number, problem: ApiProblem) {
    super(problem.detail ?? problem.title ?? `the gateway answered ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
  }
}

/** No answer came. */
class UnreachableError extends Error {}

export interface ApiAnswer {
  readonly body: unknown;
  /** The ETag without its quotes: the revision; null where there is none. */
  readonly revision: string | null;
}

export interface ApiCall {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** The revision that has to be there. */
  readonly expect?: string | number;
}

interface RawAnswer {
  readonly status: number;
  readonly etag: string | null;
  readonly text: string;
}

/** Beyond what the gateway itself may wait. */
const ANSWER_LIMIT_MS = 120_000;

export class ApiClient {
  readonly #baseUrl: URL;
  readonly #token: string | null;
  readonly #tls: ConnectionOptions;

  /**
   * @param baseUrl of the admin listener, such as http://127.0.0.1:9901
   * @param tls authorities and own certificate, for https
   */
  constructor(baseUrl: URL, token: string | null, tls: ConnectionOptions = {}) {
    this.#baseUrl = baseUrl;
    this.#token = token;
    this.#tls = tls;
  }

  /** @throws ApiError, UnreachableError */
  async call(method: string, path: string, { body, query, expect }: ApiCall = {}): Promise<ApiAnswer> {
    const content = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const headers = {
      ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
      ...(expect === undefined ? {} : { 'if-match': `"${expect}"` }),
      ...(content === null ? {} : { 'content-type': 'application/json', 'content-length': content.length }),
    };
    const { status, etag, text } = await this.#send(method, this.#urlOf(path, query ?? {}), headers, content);
    const answer = readJson(text, status);
    if (status < 200 || status > 299) throw refusal(status, answer);
    return { body: answer, revision: etag };
  }

  #urlOf(path: string, query: NonNullable<ApiCall['query']>): URL {
    const url = new URL(this.#baseUrl);
    url.pathname = `${url.pathname.replace(/\/$/, '')}/api/gateway/${path}`;
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  async #send(
    method: string,
    url: URL,
    headers: http.OutgoingHttpHeaders,
    content: Buffer | null,
  ): Promise<RawAnswer> {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    try {
      // Said explicitly, as a variable of Node could switch verification off.
      const options = { ...this.#tls, rejectUnauthorized: true, method, headers, signal };
      return await exchange(url, options, content);
    } catch (error) {
      const tlsFailure = signal.aborted ? null : explainTlsFailure(url, error as NodeJS.ErrnoException);
      if (tlsFailure !== null) throw new UnreachableError(tlsFailure);
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = signal.aborted ? `no answer within ${ANSWER_LIMIT_MS / 1_000} s` : (code ?? message);
      throw new UnreachableError(
        `no gateway answers at ${url.origin} (${reason}): start one, or give --admin-url or GATEWAY_ADMIN_URL`,
      );
    }
  }
}

/** Not `fetch`: it refuses a list of ports, on which an admin listener may well be. */
function exchange(url: URL, options: https.RequestOptions, content: Buffer | null): Promise<RawAnswer> {
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (response) => readAnswer(response).then(resolve, reject));
    outgoing.on('error', reject);
    outgoing.end(content ?? undefined);
  });
}

async function readAnswer(response: IncomingMessage): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const etag = response.headers.etag?.replaceAll('"', '') ?? null;
  return { status: response.statusCode ?? 0, etag, text: Buffer.concat(chunks).toString() };
}

function readJson(text: string, status: number): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(status, { detail: `the answer (${status}) is not JSON: is this the admin address?` });
  }
}

function refusal(status: number, answer: unknown): ApiError {
  const problem = typeof answer === 'object' && answer !== null ? (answer as ApiProblem) : {};
  if (problem.code !== ERRORS.noRoute.code) return new ApiError(status, problem);
  const detail =
    'this is the address for clients: give the one of --admin, with --admin-url or GATEWAY_ADMIN_URL';
  return new ApiError(status, { ...problem, detail });
}
