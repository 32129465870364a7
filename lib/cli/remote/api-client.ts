/** The management API as the commands use it. */

export interface ApiProblem {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly problems?: readonly {
    readonly pointer: string;
    readonly message: string;
    readonly hint?: string;
  }[];
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
export class UnreachableError extends Error {}

export interface ApiAnswer {
  readonly status: number;
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

/** Beyond what the gateway itself may wait. */
const ANSWER_LIMIT_MS = 120_000;

export class ApiClient {
  readonly #baseUrl: URL;
  readonly #token: string | null;

  /** @param baseUrl of the admin listener, such as http://127.0.0.1:9901 */
  constructor(baseUrl: URL, token: string | null) {
    this.#baseUrl = baseUrl;
    this.#token = token;
  }

  /** @throws ApiError, UnreachableError */
  async call(method: string, path: string, { body, query, expect }: ApiCall = {}): Promise<ApiAnswer> {
    const url = new URL(`/api/gateway/${path}`, this.#baseUrl);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = new Headers();
    if (this.#token !== null) headers.set('authorization', `Bearer ${this.#token}`);
    if (expect !== undefined) headers.set('if-match', `"${expect}"`);
    if (body !== undefined) headers.set('content-type', 'application/json');
    const response = await this.#fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = readJson(response.text, response.status);
    if (response.status >= 400) throw new ApiError(response.status, answer as ApiProblem);
    return { status: response.status, body: answer, revision: response.etag };
  }

  async #fetch(url: URL, init: RequestInit): Promise<{ status: number; text: string; etag: string | null }> {
    try {
      const response = await fetch(url, {
        ...init,
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      const etag = response.headers.get('etag')?.replaceAll('"', '') ?? null;
      return { status: response.status, text: await response.text(), etag };
    } catch (error) {
      const { message, cause } = error as Error & { cause?: Error };
      const reason = (cause as NodeJS.ErrnoException | undefined)?.code ?? cause?.message ?? message;
      throw new UnreachableError(
        `no gateway answers at ${this.#baseUrl.origin} (${reason}): start one, or give --admin-url or GATEWAY_ADMIN_URL`,
      );
    }
  }
}

function readJson(text: string, status: number): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(status, { detail: `the answer (${status}) is not JSON: is this the admin address?` });
  }
}
