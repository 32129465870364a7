/**
 * A process that sends requests at a steady rate over kept connections and counts every one that is not
 * answered as it should be. Started and asked by paced-load.ts.
 */
import http from 'node:http';
import type { LoadCount, LoadMessage, LoadOrder } from './paced-load.ts';

const TICK_MS = 5;
const BODY = 'hello world\n';
const LIMIT_MS = 20_000;
/** More than this do not wait for an answer at the same time. */
const MAX_UNDER_WAY = 64;

/** A count of the requests that began in one period, also those that are answered later. */
class Period {
  readonly #failed: Record<string, number> = {};
  readonly #latenciesMs: number[] = [];
  #underWay = 0;
  #onComplete: ((count: LoadCount) => void) | null = null;

  begin(): void {
    this.#underWay += 1;
  }

  end(latencyMs: number, failure: string | null): void {
    this.#underWay -= 1;
    this.#latenciesMs.push(latencyMs);
    if (failure !== null) this.#failed[failure] = (this.#failed[failure] ?? 0) + 1;
    this.#tell();
  }

  whenComplete(onComplete: (count: LoadCount) => void): void {
    this.#onComplete = onComplete;
    this.#tell();
  }

  #tell(): void {
    if (this.#underWay > 0) return;
    this.#onComplete?.({ failed: this.#failed, latenciesMs: this.#latenciesMs });
  }
}

const agent = new http.Agent({ keepAlive: true, maxSockets: MAX_UNDER_WAY });
let period = new Period();
let underWay = 0;

function ask(port: number, path: string): void {
  const own = period;
  const startMs = performance.now();
  let isOver = false;
  const end = (failure: string | null): void => {
    if (isOver) return;
    isOver = true;
    underWay -= 1;
    own.end(performance.now() - startMs, failure === null ? null : `${port} ${failure}`);
  };
  underWay += 1;
  own.begin();
  const request = http.get({ host: '127.0.0.1', port, path, agent, timeout: LIMIT_MS }, (response) => {
    let body = '';
    response.setEncoding('latin1').on('data', (part: string) => {
      body += part;
    });
    response.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    response.on('end', () => {
      if (response.statusCode !== 200) end(`status ${response.statusCode}`);
      else end(body === BODY ? null : 'wrong body');
    });
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  request.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
}

function run({ ports, routes, requestsPerSecond }: LoadOrder): void {
  const startMs = performance.now();
  let turn = 0;
  setInterval(() => {
    const due = ((performance.now() - startMs) / 1_000) * requestsPerSecond;
    for (; turn < due; turn += 1) {
      // What cannot be sent now is left out: the rate is a wish, but every request that was sent counts.
      if (underWay >= MAX_UNDER_WAY) continue;
      const route = routes[Math.floor(Math.random() * routes.length)];
      ask(ports[turn % ports.length]!, `/r${route}/any`);
    }
  }, TICK_MS);
}

process.on('message', (message: LoadMessage) => {
  if (message.type === 'run') {
    run(message.order);
    return;
  }
  const taken = period;
  period = new Period();
  taken.whenComplete((count) => process.send?.(count));
});
process.on('disconnect', () => process.exit(0));
