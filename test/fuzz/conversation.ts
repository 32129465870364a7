/** One connection of a client: sends its bytes in pieces, and reads every answer that comes, to its good or bad end. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ChangeSignal, DEFAULT_LIMIT_MS } from '../helpers/change-signal.ts';
import type { ConnectionEnd } from '../helpers/origin-connection.ts';
import { type RawResponse, ResponseReader } from '../helpers/response-reader.ts';

/** When the client leaves, and how: once all that it asked for is answered, or at once. */
export type Leaving = 'close when answered' | 'reset when answered' | 'close at once' | 'reset at once';

export interface ConversationPlan {
  readonly port: number;
  /** Where the client comes from. */
  readonly address: string;
  readonly pieces: readonly Buffer[];
  /** How many answers the client waits for before it leaves. */
  readonly awaitedAnswers: number;
  readonly leaving: Leaving;
  /** Whether the answer of that number is to a HEAD request. */
  isToHead(index: number): boolean;
}

/** What the client got. */
export interface Conversation {
  readonly received: Buffer;
  /** The last one may be broken off. */
  readonly responses: readonly RawResponse[];
  /** What is wrong with the bytes as HTTP, null where nothing is. */
  readonly problem: string | null;
  /** Null where the gateway still had the connection open when the limit was over. */
  readonly end: ConnectionEnd | null;
}

/** Reads the answers of one connection, one behind the other. */
class ResponseSequence {
  readonly responses: RawResponse[] = [];
  readonly received: Buffer[] = [];
  readonly #isToHead: (index: number) => boolean;
  #reader: ResponseReader;
  /** What comes now is no answer any more. */
  #isOver = false;

  constructor(isToHead: (index: number) => boolean) {
    this.#isToHead = isToHead;
    this.#reader = new ResponseReader(isToHead(0));
  }

  get problem(): string | null {
    return this.#reader.problem?.message ?? null;
  }

  feed(bytes: Buffer): void {
    this.received.push(bytes);
    if (this.#isOver) return;
    this.#reader.feed(bytes);
    while (!this.#isOver && this.#reader.response?.ended === 'complete') this.#next(this.#reader.response);
  }

  #next(response: RawResponse): void {
    const { surplus } = this.#reader;
    // Behind a 101 is a tunnel. What is no HTTP is refused without a look at its method: such an answer to a HEAD
    // may have a body, and is the last.
    const isRefusal = response.header('content-type') === 'application/problem+json';
    this.#isOver = response.status === 101 || (isRefusal && this.#isToHead(this.responses.length));
    this.responses.push(response);
    this.#reader = new ResponseReader(this.#isToHead(this.responses.length));
    if (!this.#isOver && surplus.length > 0) this.#reader.feed(surplus);
  }

  end(how: ConnectionEnd): void {
    if (this.#isOver) return;
    this.#reader.endInput(how);
    if (this.#reader.response !== null) this.responses.push(this.#reader.response);
    this.#isOver = true;
  }
}

/** Goes through with it; always comes to an end. */
export async function converse(plan: ConversationPlan): Promise<Conversation> {
  const socket = connect({ port: plan.port, host: '127.0.0.1', localAddress: plan.address, noDelay: true });
  const sequence = new ResponseSequence(plan.isToHead);
  const changed = new ChangeSignal();
  let end: ConnectionEnd | null = null;
  const finish = (how: ConnectionEnd): void => {
    end ??= how;
    sequence.end(end);
    changed.notify();
  };
  socket.on('data', (bytes: Buffer) => {
    sequence.feed(bytes);
    changed.notify();
  });
  socket.on('error', () => finish('reset'));
  socket.on('end', () => finish('closed'));
  socket.on('close', () => finish('closed'));
  const waitUntil = (isDone: () => boolean) =>
    changed.waitFor(
      () => (end !== null || isDone() ? true : undefined),
      DEFAULT_LIMIT_MS,
      () => 'time is up',
    );
  try {
    await once(socket, 'connect');
    await sendPieces(socket, plan.pieces);
    const isAnswered = () => sequence.responses.length >= plan.awaitedAnswers || sequence.problem !== null;
    if (plan.leaving.endsWith('when answered')) await waitUntil(isAnswered);
    // Not before all is with the kernel: a write that a reset cuts off keeps Node from coming to its end.
    if (plan.leaving.startsWith('reset')) socket.write('', () => socket.resetAndDestroy());
    else socket.end();
    await waitUntil(() => false);
  } catch {
    // Time is up: it shows in what is missing.
  } finally {
    socket.destroy();
  }
  const { received, responses, problem } = sequence;
  return { received: Buffer.concat(received), responses, problem, end };
}

async function sendPieces(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (!socket.writable) return;
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
