/**
 * Mutated requests against a real gateway. What is held, for every client and whatever it sends:
 *
 * 1. The requests that come to the origin from a client are some of those that a strict reader finds in its
 *    bytes (reference-reader.ts): in their order, each at most once, with the same method, canonical target, fields
 *    and body. A body that the client has not sent to its end never ends at the origin either. So a canary, a request
 *    line within a body, a chunk extension or a field value, comes to the origin only where a mutation has made a
 *    pipelined request of it for every reader, and then gets an answer of its own.
 * 2. A lenient origin reads those bytes no differently (lenient-reader.ts).
 * 3. Behind an answer that says `close` no request comes to the origin (RFC 9112 §9.6).
 * 4. The n-th answer is to the n-th of these requests and is the origin's own, whole or visibly broken off, or a
 *    problem of the gateway. No word of another client's request or answer ever comes to a client.
 * 5. A client that sends nothing wrong gets all of its answers, whatever the others do at the same time.
 * 6. Every connection comes to an end in time, and no worker dies.
 */
import fc from 'fast-check';
import { type GatewayProcess, startGateway } from '../helpers/gateway-process.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { type Conversation, converse, type Leaving } from './conversation.ts';
import { type Fuzzer, requireHealthyGateway } from './fuzzer.ts';
import { FuzzedClient, FuzzFault, Ledger } from './ledger.ts';
import { COMMON_SNIPPETS, cutIntoPieces, type Mutation, mutate, mutations } from './mutations.ts';
import { type AnswerKind, type RecordingOrigin, startRecordingOrigin } from './recording-origin.ts';
import { formatPlan, REQUEST_SNIPPETS, type RequestPlan, requestPlan } from './request-grammar.ts';

interface ClientPlan {
  readonly requests: readonly RequestPlan[];
  readonly mutations: readonly Mutation[];
  /** Where its bytes are cut into pieces, in ten-thousandths. */
  readonly cuts: readonly number[];
  readonly leaving: Leaving;
  /** How the origin answers its requests, in turn. */
  readonly answers: readonly AnswerKind[];
}

const cuts = fc.array(fc.integer({ min: 0, max: 9_999 }), { maxLength: 4 });

const hostilePlan: fc.Arbitrary<ClientPlan> = fc.record({
  requests: fc.array(requestPlan, { minLength: 1, maxLength: 4 }),
  mutations: fc.oneof(
    { weight: 5, arbitrary: mutations([...COMMON_SNIPPETS, ...REQUEST_SNIPPETS]) },
    { weight: 1, arbitrary: fc.constant([]) },
  ),
  cuts,
  leaving: fc.constantFrom(
    ...(['close when answered', 'close when answered', 'close when answered'] as const),
    ...(['reset when answered', 'close at once', 'reset at once'] as const),
  ),
  answers: fc.array(
    fc.constantFrom<AnswerKind>('whole', 'chunked', 'early', 'late', 'empty', 'hints', 'close'),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
});

/** Sends nothing wrong, and must not suffer. */
const innocentPlan: fc.Arbitrary<ClientPlan> = fc.record({
  requests: fc.array(
    requestPlan.map((plan): RequestPlan => ({ ...plan, version: '1.1', asks: 'nothing' })),
    { minLength: 1, maxLength: 3 },
  ),
  mutations: fc.constant([]),
  cuts,
  leaving: fc.constant('close when answered'),
  answers: fc.array(fc.constantFrom<AnswerKind>('whole', 'chunked', 'empty'), { minLength: 1, maxLength: 3 }),
});

const runPlan = fc.record({
  hostile: fc.array(hostilePlan, { minLength: 1, maxLength: 3 }),
  innocent: innocentPlan,
});

type RunPlan = typeof runPlan extends fc.Arbitrary<infer Plan> ? Plan : never;

/** A client and how it goes about it. */
interface Actor {
  readonly plan: ClientPlan;
  readonly client: FuzzedClient;
}

export class RequestFuzzer implements Fuzzer<RunPlan> {
  readonly inputs = runPlan;
  inputCount = 0;
  readonly #ledger: Ledger;
  readonly #gateway: GatewayProcess;
  readonly #origin: RecordingOrigin;
  readonly #plans: WeakMap<FuzzedClient, ClientPlan>;

  constructor(
    ledger: Ledger,
    gateway: GatewayProcess,
    origin: RecordingOrigin,
    plans: WeakMap<FuzzedClient, ClientPlan>,
  ) {
    this.#ledger = ledger;
    this.#gateway = gateway;
    this.#origin = origin;
    this.#plans = plans;
  }

  get requestCount(): number {
    return this.#origin.requestCount;
  }

  /** Lets all clients of a plan speak at once. @throws FuzzFault for the first rule that was broken */
  async run({ hostile, innocent }: RunPlan): Promise<void> {
    const actors = [...hostile, innocent].map((plan) => this.#createActor(plan));
    const conversations = await Promise.all(actors.map((actor) => this.#converse(actor)));
    for (const [index, actor] of actors.entries()) {
      const conversation = conversations[index];
      if (conversation === undefined) continue;
      this.#checkConversation(actor, conversation);
      if (actor.plan === innocent) checkInnocent(actor, conversation);
    }
    this.#origin.settle();
    this.#ledger.throwReported();
  }

  async finish(): Promise<void> {
    await requireHealthyGateway(this.#gateway);
    this.#origin.settle();
    this.#ledger.throwReported();
  }

  #createActor(plan: ClientPlan): Actor {
    const marker = this.#ledger.createSecret('mk');
    const wellFormed = Buffer.concat(plan.requests.map((request) => formatPlan(request, marker)));
    const client = new FuzzedClient(this.#ledger.createAddress(), mutate(wellFormed, plan.mutations));
    checkReference(plan, client);
    this.#ledger.own(marker, client);
    this.#ledger.addClient(client);
    this.#plans.set(client, plan);
    this.inputCount += 1;
    return { plan, client };
  }

  #converse({ plan, client }: Actor): Promise<Conversation> {
    const { requests } = client.reading;
    return converse({
      port: this.#gateway.port,
      address: client.address,
      pieces: cutIntoPieces(client.sent, plan.cuts),
      awaitedAnswers: requests.filter((request) => request.isWhole).length,
      leaving: plan.leaving,
      isToHead: (index) => requests[index]?.method === 'HEAD',
    });
  }

  #checkConversation({ client }: Actor, conversation: Conversation): void {
    const { received, responses, problem, end } = conversation;
    const fail = (...[fault, detail]: readonly [FuzzFault['fault'], string]): never => {
      throw new FuzzFault(
        fault,
        `${detail}; received ${JSON.stringify(received.toString('latin1'))}`,
        client.sent,
      );
    };
    const foreign = this.#ledger.findForeignSecret(received, client);
    if (foreign !== undefined) fail('foreign bytes', foreign);
    if (problem !== null) fail('malformed answer', problem);
    if (end === null) fail('no answer', `${responses.length} answers, and the connection stays open`);
    if (responses.length > client.reading.requests.length + 1)
      fail('wrong answer', 'more answers than requests');
    for (const [index, response] of responses.entries()) {
      const wrong = this.#findWrong(client, index, response);
      if (wrong !== null) fail('wrong answer', `answer ${index}: ${wrong}`);
      if (response.header('connection') !== 'close' || client.claimedCount <= index + 1) continue;
      fail(
        'leaked request',
        `request ${client.claimedCount - 1} is behind answer ${index}, which said close`,
      );
    }
  }

  #findWrong(client: FuzzedClient, index: number, response: RawResponse): string | null {
    const token = response.header('x-answer');
    if (token === undefined) {
      return response.header('content-type') === 'application/problem+json' ? null : 'from nobody';
    }
    const answer = this.#ledger.answers.get(token);
    if (answer === undefined || answer.client !== client) return 'not its own';
    if (answer.index !== index) return `meant for request ${answer.index}`;
    if (answer.status !== response.status) return `status ${response.status}`;
    if (response.ended !== 'complete' || client.reading.requests[index]?.method === 'HEAD') return null;
    return response.body.equals(answer.body) ? null : 'another body';
  }
}

/** The reference is only as good as this: well-formed requests are what they were built as. */
function checkReference({ requests, mutations: changes }: ClientPlan, { reading, sent }: FuzzedClient): void {
  if (changes.length > 0) return;
  const lastIndex = reading.requests.findIndex((request) => request.asksForWebSocket || request.isLast);
  const isAsBuilt =
    (lastIndex === -1) === (reading.end === 'end of bytes') &&
    reading.requests.length === (lastIndex === -1 ? requests.length : lastIndex + 1) &&
    reading.requests.every((request, index) => request.isWhole && request.method === requests[index]?.method);
  if (!isAsBuilt) throw new FuzzFault('bad reference', JSON.stringify(reading.end), sent);
}

function checkInnocent({ client }: Actor, { responses, received }: Conversation): void {
  const isServed =
    responses.length === client.reading.requests.length &&
    responses.every((response) => response.ended === 'complete' && response.header('x-answer') !== undefined);
  if (isServed) return;
  const shown = JSON.stringify(received.toString('latin1'));
  throw new FuzzFault('no answer', `an innocent client got ${shown}`, client.sent);
}

/** Starts a gateway with one worker, so that all clients share everything that can be shared. */
export async function startRequestFuzzer(owner: TestOwner, seed: number): Promise<RequestFuzzer> {
  const ledger = new Ledger(seed);
  const plans = new WeakMap<FuzzedClient, ClientPlan>();
  const chooseAnswer = (client: FuzzedClient, index: number): AnswerKind => {
    const answers = plans.get(client)?.answers ?? [];
    return answers[index % answers.length] ?? 'whole';
  };
  const origin = await startRecordingOrigin(owner, ledger, chooseAnswer);
  const main = {
    destinations: { only: { url: origin.origin.url } },
    retry: { attempts: 1 },
    pool: { maxConnections: 3, idleMs: 60_000 },
  };
  const routes = { all: { cluster: 'main', match: { path: '/{**rest}' } } };
  const gateway = await startGateway(owner, { config: { clusters: { main }, routes }, accessLog: 'off' });
  return new RequestFuzzer(ledger, gateway, origin, plans);
}
