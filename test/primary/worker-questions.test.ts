/** Questions to workers: each ends once, with the answer or with the reason why there is none. */
import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import t from 'tap';
import type { ExplainRequest, Explanation } from '../../lib/core/explain/explanation.ts';
import type { ToWorker } from '../../lib/ipc/protocol.ts';
import { type WorkerEvents, WorkerHandle } from '../../lib/primary/worker-handle.ts';
import { MOST_OUTSTANDING, WorkerQuestions } from '../../lib/primary/worker-questions.ts';

const REQUEST: ExplainRequest = { method: 'GET', url: 'http://a.test/', headers: [] };

function explanationOf(worker: number): Explanation {
  return { revision: 1, worker, candidates: [], candidatesCut: false, policies: [], destinations: [] };
}

/** A handle on a process that is none, what it was sent, and a way to answer. */
function createWorker(id: number, questions: WorkerQuestions) {
  const sent: number[] = [];
  const worker = Object.assign(new EventEmitter(), {
    process: Object.assign(new EventEmitter(), { pid: 4711 }),
    isConnected: () => true,
    send: (message: ToWorker) => {
      if (message.type === 'explain') sent.push(message.question);
    },
  });
  const events: Partial<WorkerEvents> = {
    onExplained: (_worker, question, explanation) => questions.onExplained(question, explanation),
    onExit: (gone) => questions.onGone(gone),
  };
  const handle = new WorkerHandle(id, 0, worker as unknown as Worker, events as WorkerEvents);
  const answer = (question: number) =>
    worker.emit('message', { type: 'explained', question, explanation: explanationOf(id) });
  return { handle, sent, answer, exit: () => worker.emit('exit', null, 'SIGKILL') };
}

t.test('answers find their questions, in whatever order they come', async (t) => {
  const questions = new WorkerQuestions();
  const [one, two] = [createWorker(1, questions), createWorker(2, questions)];
  const asked = [one, two, one].map(({ handle }) => questions.ask(handle, REQUEST));
  for (const { sent, answer } of [two, one]) for (const question of sent.toReversed()) answer(question);
  t.same(
    (await Promise.all(asked)).map(({ worker }) => worker),
    [1, 2, 1],
  );
});

t.test('without an answer in time a question is given up, and a late answer is ignored', async (t) => {
  const questions = new WorkerQuestions(5);
  const { handle, sent, answer } = createWorker(3, questions);
  await t.rejects(questions.ask(handle, REQUEST), { message: 'worker 3 gave no answer within 5 ms' });
  answer(sent[0]!);
  answer(999);
  const next = questions.ask(handle, REQUEST);
  answer(sent[1]!);
  t.equal((await next).worker, 3);
});

t.test('a worker that goes takes its own questions with it, and no others', async (t) => {
  const questions = new WorkerQuestions();
  const [one, two] = [createWorker(1, questions), createWorker(2, questions)];
  const lost = questions.ask(one.handle, REQUEST);
  const kept = questions.ask(two.handle, REQUEST);
  one.exit();
  await t.rejects(lost, { message: 'worker 1 ended before it answered' });
  two.answer(two.sent[0]!);
  t.equal((await kept).worker, 2);
});

t.test('more questions than may wait are refused, until one is answered', async (t) => {
  const questions = new WorkerQuestions();
  const { handle, sent, answer } = createWorker(1, questions);
  const asked = Array.from({ length: MOST_OUTSTANDING }, () => questions.ask(handle, REQUEST));
  await t.rejects(questions.ask(handle, REQUEST), {
    message: /questions wait for an answer: ask again later/,
  });
  t.equal(sent.length, MOST_OUTSTANDING);
  answer(sent[0]!);
  await asked[0];
  asked.push(questions.ask(handle, REQUEST));
  for (const question of sent.slice(1)) answer(question);
  t.equal((await Promise.all(asked)).length, MOST_OUTSTANDING + 1);
});
