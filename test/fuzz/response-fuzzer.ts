/**
 * Mutated answers of an origin, through a real gateway with one worker, to several clients at once. What is held,
 * whatever the origin sends:
 *
 * 1. A client gets words of its own answer only, in well-formed HTTP: the answer, a problem of the gateway, or an end
 *    of the connection that shows. Nothing comes behind an answer.
 * 2. Where a strict reader finds a whole answer in what the origin sent, a client that gets one gets that one; where
 *    the reader finds it broken off, no client gets it as whole.
 * 3. No request comes to the origin twice, but one that may be repeated where the connection that it came over first
 *    had been used before: the gateway cannot know that the origin had just closed that one (RFC 9112 §9.3.1).
 * 4. Afterwards good requests get good answers on the same pool, and no worker has died.
 *
 * The pool is shared where an answer comes in one piece, with whatever is behind it. Where it comes in several, each
 * client has a pool of its own: surplus that arrives once the connection has been given to the next request cannot be
 * told from its answer by anybody (RFC 9112 §9.2), so there only words of other clients count.
 */
import fc from 'fast-check';
import { type GatewayProcess, startGateway } from '../helpers/gateway-process.ts';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import type { OriginRequest } from '../helpers/origin-request.ts';
import { connect, formatRequest, type RawClient } from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import { type ScriptedOrigin, startOrigin } from '../helpers/scripted-origin.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { type Fuzzer, requireHealthyGateway } from './fuzzer.ts';
import { type Fault, FuzzFault, Ledger } from './ledger.ts';
import { cutIntoPieces } from './mutations.ts';
import {
  formatResponse,
  type ResponsePlan,
  readResponseStrictly,
  responsePlan,
  type StrictResponse,
} from './response-grammar.ts';

/** As many clients as there are pools for clients of their own. */
const MOST_CLIENTS = 4;
const GOOD_ATTEMPTS = 5;
const LONG_LENGTH = /malformed response, Content-Length "\d{16,}"/;

interface ExchangePlan {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly response: ResponsePlan;
  /** Where the answer is cut into pieces, in ten-thousandths; in one piece, it comes through the shared pool. */
  readonly cuts: readonly number[];
}

const exchangePlan: fc.Arbitrary<ExchangePlan> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST'),
  response: responsePlan,
  cuts: fc.oneof(fc.constant([]), fc.array(fc.integer({ min: 0, max: 9_999 }), { maxLength: 3 })),
});

const runPlan = fc.array(fc.array(exchangePlan, { minLength: 1, maxLength: 3 }), {
  minLength: 2,
  maxLength: MOST_CLIENTS,
});

type RunPlan = readonly (readonly ExchangePlan[])[];

/** One request of a client, and what it is going to be answered with. */
interface Pending {
  readonly plan: ExchangePlan;
  readonly bytes: Buffer;
  readonly strict: StrictResponse;
  /** Whose words its answer may hold: its own alone, or those of all of its client's. */
  readonly owner: object;
  arrivals: number;
  /** Whether the last arrival was over a connection that had carried another request. */
  cameOverUsedConnection: boolean;
}

export class ResponseFuzzer implements Fuzzer<RunPlan> {
  readonly inputs = runPlan;
  inputCount = 0;
  requestCount = 0;
  readonly #ledger: Ledger;
  readonly #gateway: GatewayProcess;
  readonly #origin: ScriptedOrigin;
  readonly #pending = new Map<string, Pending>();
  readonly #usedConnections = new WeakSet<OriginConnection>();

  constructor(ledger: Ledger, gateway: GatewayProcess, origin: ScriptedOrigin) {
    this.#ledger = ledger;
    this.#gateway = gateway;
    this.#origin = origin;
    origin.handler = (request, connection) => this.#answer(request, connection);
  }

  /** Lets all clients of a plan ask at once. @throws FuzzFault for the first rule that was broken */
  async run(plan: RunPlan): Promise<void> {
    await Promise.all(plan.map((exchanges, number) => this.#runClient(exchanges, number)));
    await this.#requireGoodAnswer();
    this.#pending.clear();
    this.#origin.requests.length = 0;
    this.#ledger.throwReported();
  }

  async finish(): Promise<void> {
    await requireHealthyGateway(this.#gateway);
    this.#ledger.throwReported();
  }

  async #runClient(exchanges: readonly ExchangePlan[], number: number): Promise<void> {
    const owner = {};
    let client: RawClient | null = null;
    try {
      for (const exchange of exchanges) {
        if (client?.connectionEnd !== null) {
          client?.close();
          client = await connect(this.#gateway.port);
        }
        const isShared = exchange.cuts.length === 0;
        const marker = this.#prepare(exchange, isShared ? {} : owner);
        await this.#exchange(client, marker, isShared ? 'shared' : `own-${number}`);
      }
    } finally {
      client?.close();
    }
  }

  #prepare(plan: ExchangePlan, owner: object): string {
    const marker = this.#ledger.createSecret('mk', owner);
    const bytes = formatResponse(plan.response, this.#ledger.createSecret('tk', owner));
    const strict = readResponseStrictly(bytes, plan.response.end === 'reset', plan.method === 'HEAD');
    this.#pending.set(marker, { plan, bytes, strict, owner, arrivals: 0, cameOverUsedConnection: false });
    this.inputCount += 1;
    return marker;
  }

  async #exchange(client: RawClient, marker: string, pool: string): Promise<void> {
    const pending = this.#pending.get(marker);
    if (pending === undefined) return;
    const { method } = pending.plan;
    client.send(formatRequest(method, `/${pool}/${marker}`, {}, method === 'POST' ? marker : ''));
    try {
      const response = await client.readResponse({ toHead: method === 'HEAD' });
      this.#check(pending, response, client.unread);
    } catch (error) {
      if (error instanceof FuzzFault) throw error;
      // It shows what has come instead of an answer.
      const foreign = this.#ledger.findForeignSecret(Buffer.from(String(error)), pending.owner);
      if (foreign !== undefined) throw new FuzzFault('foreign bytes', String(error), pending.bytes);
      const isMalformed = String(error).includes('malformed');
      // That the connection ends shows; and a length of so many digits is passed on as it is, for the client to judge.
      if (isMalformed ? LONG_LENGTH.test(String(error)) : client.connectionEnd !== null) {
        client.close();
        return;
      }
      throw new FuzzFault(isMalformed ? 'malformed answer' : 'no answer', String(error), pending.bytes);
    }
  }

  #check({ plan, bytes, strict, owner }: Pending, response: RawResponse, unread: Buffer): void {
    const fail = (fault: Fault, detail: string): never => {
      const shown = response.headBytes.toString('latin1') + response.text;
      throw new FuzzFault(fault, `${detail}; to ${plan.method} came ${JSON.stringify(shown)}`, bytes);
    };
    const interim = response.informational.map(({ headBytes }) => headBytes);
    const received = Buffer.concat([...interim, response.headBytes, response.bodyBytes, unread]);
    const foreign = this.#ledger.findForeignSecret(received, owner);
    if (foreign !== undefined) fail('foreign bytes', foreign);
    if (unread.length > 0) fail('wrong answer', `${JSON.stringify(unread.toString('latin1'))} behind it`);
    if (response.ended !== 'complete' || isProblem(response) || strict.end === 'malformed') return;
    if (strict.end === 'broken off') fail('cut answer', 'whole, though the origin broke off');
    if (response.status !== strict.status || !response.body.equals(strict.body)) {
      fail(
        'wrong answer',
        `a strict reader finds ${strict.status} ${JSON.stringify(strict.body.toString('latin1'))}`,
      );
    }
  }

  /** What other answers have left behind may cost some connections of the pool, but not the pool. */
  async #requireGoodAnswer(): Promise<void> {
    let last = '';
    for (let attempt = 0; attempt < GOOD_ATTEMPTS; attempt++) {
      const client = await connect(this.#gateway.port);
      try {
        client.send(formatRequest('GET', '/shared/good'));
        const response = await client.readResponse();
        if (response.status === 200 && response.text === 'good') return;
        last = `${response.startLine} ${response.text}`;
      } catch (error) {
        last = String(error);
      } finally {
        client.close();
      }
    }
    throw new FuzzFault('no answer', `a good request got ${last}`, Buffer.alloc(0));
  }

  #answer(request: OriginRequest, connection: OriginConnection): void {
    this.requestCount += 1;
    const [, , name = ''] = request.target.split('/');
    if (name === 'good') {
      this.#usedConnections.add(connection);
      connection.answer({ body: 'good' });
      return;
    }
    const pending = this.#pending.get(name);
    if (pending === undefined) {
      this.#ledger.report('leaked request', request.startLine, Buffer.alloc(0));
      return;
    }
    pending.arrivals += 1;
    const mayRepeat = pending.cameOverUsedConnection && request.method !== 'POST';
    if (pending.arrivals > (mayRepeat ? 2 : 1))
      this.#ledger.report('second request', request.startLine, pending.bytes);
    pending.cameOverUsedConnection ||= this.#usedConnections.has(connection);
    this.#usedConnections.add(connection);
    void sendAnswer(pending, request, connection);
  }
}

function isProblem(response: RawResponse): boolean {
  return response.header('content-type') === 'application/problem+json';
}

async function sendAnswer(
  pending: Pending,
  request: OriginRequest,
  connection: OriginConnection,
): Promise<void> {
  const { bytes, plan, strict } = pending;
  await request.ended;
  for (const piece of cutIntoPieces(bytes, plan.cuts)) {
    connection.write(piece);
    if (plan.cuts.length > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (plan.response.end === 'reset') connection.reset();
  // Who keeps a connection open behind half an answer only waits for the gateway's patience to end.
  else if (plan.response.end === 'close' || !strict.endsByItself) connection.close();
}

/** Starts a gateway with one worker, so that all clients share everything that can be shared. */
export async function startResponseFuzzer(owner: TestOwner, seed: number): Promise<ResponseFuzzer> {
  const ledger = new Ledger(seed);
  const origin = await startOrigin(() => {}, { owner });
  const names = ['shared', ...Array.from({ length: MOST_CLIENTS }, (_, number) => `own-${number}`)];
  const clusters = names.map((name) => [name, clusterOf(origin.url)]);
  const routes = names.map((name) => [name, { cluster: name, match: { path: `/${name}/{**rest}` } }]);
  const config = { clusters: Object.fromEntries(clusters), routes: Object.fromEntries(routes) };
  const gateway = await startGateway(owner, { config, accessLog: 'off' });
  return new ResponseFuzzer(ledger, gateway, origin);
}

function clusterOf(url: string): object {
  return {
    destinations: { only: { url } },
    retry: { attempts: 1 },
    pool: { maxConnections: 2, idleMs: 60_000 },
    timeouts: { headersMs: 2_000, idleMs: 2_000 },
  };
}
