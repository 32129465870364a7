/** Questions of the primary to single workers, each answered once or given up. */
import type { ExplainRequest, Explanation } from '../core/explain/explanation.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** An explanation takes milliseconds; a worker that takes this long has other troubles. */
const ANSWER_LIMIT_MS = 2_000;
/** Nobody asks so much at once; a loop that does must not fill the workers' channels. */
export const MOST_OUTSTANDING = 100;

interface Question {
  readonly worker: WorkerHandle;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (explanation: Explanation) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerQuestions {
  readonly #limitMs: number;
  readonly #outstanding = new Map<number, Question>();
  #lastQuestion = 0;

  constructor(limitMs = ANSWER_LIMIT_MS) {
    this.#limitMs = limitMs;
  }

  /**
   * Asks a worker what it would do with a request.
   * @throws Error where it does not answer in time, goes away meanwhile, or too much is being asked already
   */
  ask(worker: WorkerHandle, request: ExplainRequest): Promise<Explanation> {
    if (this.#outstanding.size >= MOST_OUTSTANDING) {
      return Promise.reject(new Error(`${MOST_OUTSTANDING} questions wait for an answer: ask again later`));
    }
    this.#lastQuestion += 1;
    const question = this.#lastQuestion;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#giveUp(question, `worker ${worker.id} gave no answer within ${this.#limitMs} ms`),
        this.#limitMs,
      );
      this.#outstanding.set(question, { worker, timer, resolve, reject });
      worker.send({ type: 'explain', question, request });
    });
  }

  /** An answer has come; one to a question that was given up is ignored. */
  onExplained(question: number, explanation: Explanation): void {
    this.#take(question)?.resolve(explanation);
  }

  onGone(worker: WorkerHandle): void {
    for (const [question, asked] of this.#outstanding) {
      if (asked.worker === worker) this.#giveUp(question, `worker ${worker.id} ended before it answered`);
    }
  }

  #giveUp(question: number, problem: string): void {
    this.#take(question)?.reject(new Error(problem));
  }

  #take(question: number): Question | undefined {
    const asked = this.#outstanding.get(question);
    this.#outstanding.delete(question);
    if (asked !== undefined) clearTimeout(asked.timer);
    return asked;
  }
}
