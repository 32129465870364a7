/** Clients that never stop asking, and count every request that was not answered. */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ChangeSignal, DEFAULT_LIMIT_MS } from './change-signal.ts';
import type { TestOwner } from './test-owner.ts';

export interface LoadOptions {
  /** The test that the load ends with. */
  readonly owner: TestOwner;
  readonly port: number;
  /** Requests under way at any time. */
  readonly clients: number;
  /** Whether each client keeps its connection, or opens one for every request. */
  readonly keepAlive: boolean;
  /** Gives the path of the next request; `/` unless given. */
  readonly path?: () => string;
  /** Gives the header fields of the next request. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Told of every answer. */
  readonly onAnswer?: (answer: LoadAnswer) => void;
  /** A request that takes longer has failed: nobody may hang. */
  readonly limitMs?: number;
  /** Between an answer and the next request of a client, its rhythm; 0 unless given. */
  readonly pauseMs?: number;
}

export interface LoadAnswer {
  readonly path: string;
  readonly status: number;
  readonly body: string;
  /** How many answers there had been when the request was sent. */
  readonly sentAfter: number;
}

export class Load {
  /** Answers by status. */
  readonly statuses = new Map<number, number>();
  /** What went wrong, a line a request. */
  readonly failures: string[] = [];
  #answered = 0;
  readonly #options: LoadOptions;
  readonly #changed = new ChangeSignal();
  readonly #clients: Promise<void>[] = [];
  #stopping = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    for (let client = 0; client < options.clients; client += 1) this.#clients.push(this.#run());
  }

  get answered(): number {
    return this.#answered;
  }

  /** Waits for so many more answers from now on. */
  async waitForAnswers(count: number, limitMs = DEFAULT_LIMIT_MS): Promise<void> {
    const wanted = this.#answered + count;
    await this.#changed.waitFor(
      () => (this.#answered >= wanted ? true : undefined),
      limitMs,
      () => `${this.#answered} answers instead of ${wanted}; failed: ${this.failures.slice(0, 5).join('; ')}`,
    );
  }

  /** Lets the requests under way end, and sends no more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  async #run(): Promise<void> {
    const agent = new Agent({ keepAlive: this.#options.keepAlive, maxSockets: 1 });
    const { pauseMs = 0 } = this.#options;
    while (!this.#stopping) {
      await this.#askOnce(agent);
      if (pauseMs > 0) await delay(pauseMs);
    }
    agent.destroy();
  }

  async #askOnce(agent: Agent): Promise<void> {
    const path = this.#options.path?.() ?? '/';
    const sentAfter = this.#answered;
    try {
      const { status, body } = await ask(agent, this.#options, path);
      this.#answered += 1;
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      this.#options.onAnswer?.({ path, status, body, sentAfter });
    } catch (error) {
      this.failures.push(`${path}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`);
    }
    this.#changed.notify();
  }
}

function ask(agent: Agent, options: LoadOptions, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      outgoing.destroy(new Error('no answer in time'));
    }, options.limitMs ?? DEFAULT_LIMIT_MS);
    const fail = (error: Error): void => {
      clearTimeout(limit);
      reject(error);
    };
    const headers = options.headers?.() ?? {};
    const outgoing = request({ host: '127.0.0.1', port: options.port, path, headers, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', fail);
      response.on('end', () => {
        clearTimeout(limit);
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    outgoing.on('error', fail);
    outgoing.end();
  });
}

/** Starts clients that ask until the load is stopped, at the latest with the test. */
export function startLoad(options: LoadOptions): Load {
  const load = new Load(options);
  options.owner.teardown(() => load.stop());
  return load;
}
