/** The readers of requests that are held against each other: the gateway's, and Node's HTTP server. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import { admit, Refusal } from '../../lib/proxy/admission.ts';
import { type RecordedRequest, readRequests } from '../helpers/request-recorder.ts';

/** What a reader takes for one request. */
export interface RequestVerdict {
  readonly method: string;
  /** In Latin-1, as the fields and the body. */
  readonly target: string;
  readonly version: string;
  /** Flat. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** Whether it is served, once it is whole: what is read need not be. */
  readonly isAdmitted: boolean;
  readonly isWhole: boolean;
  /** Whether another request may follow it. */
  readonly keepsAlive: boolean;
  /** Whether it asks for another protocol; Node does not tell. */
  readonly asksForUpgrade?: boolean;
}

/** What a reader takes the bytes of a client for, up to where it reads no further. */
export interface RequestsVerdict {
  /** The last one may not be whole. */
  readonly requests: readonly RequestVerdict[];
  /** What it finds wrong behind the last whole one, in its own words; empty where nothing is. */
  readonly problem: string;
}

/** No limit is what is compared here. */
const NO_LIMITS = { maxHeaderCount: 1_000, maxTargetBytes: 65_536 };

/** Reads as a connection does: nothing behind what is refused, and nothing behind the last request. */
export function readAsGateway(pieces: readonly Buffer[]): RequestsVerdict {
  const reading = readRequests(pieces);
  const requests: RequestVerdict[] = [];
  for (const recorded of reading.requests) {
    const refusal = refusalOf(recorded);
    const verdict = verdictOf(recorded, refusal === '');
    requests.push(verdict);
    if (refusal !== '') return { requests, problem: refusal };
    if (verdict.isWhole && !verdict.keepsAlive) return { requests, problem: '' };
  }
  return { requests, problem: reading.problem };
}

function refusalOf({ head }: RecordedRequest): string {
  const admitted = admit(head, NO_LIMITS);
  if (admitted instanceof Refusal) return `${admitted.error.code}: ${admitted.detail ?? ''}`;
  if (!head.isFramed) throw new Error(`admitted, but not framed: ${JSON.stringify(head)}`);
  return '';
}

function verdictOf({ head, body, trailers }: RecordedRequest, isAdmitted: boolean): RequestVerdict {
  const { saysClose, saysKeepAlive } = head.head;
  return {
    method: head.method,
    target: head.target,
    version: head.version,
    fields: head.rawHeaders,
    body,
    trailers: trailers ?? [],
    isAdmitted,
    isWhole: isAdmitted && trailers !== null,
    keepsAlive: !saysClose && (saysKeepAlive || head.version !== '1.0'),
    asksForUpgrade: head.head.saysUpgrade && head.head.upgrade !== '',
  };
}

/** A connection without a network, whose client sends what it is told to. */
class FedConnection extends Duplex {
  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

/** Gathers what Node's server makes of one connection, and answers everything at once. */
class NodeReading {
  readonly #requests: { message: IncomingMessage; body: string; keepsAlive: boolean }[] = [];
  problem = '';

  get isOver(): boolean {
    const last = this.#requests.at(-1);
    return this.problem !== '' || (last?.message.complete === true && !last.keepsAlive);
  }

  onRequest(message: IncomingMessage, response: ServerResponse): void {
    if (this.isOver) return;
    const request = { message, body: '', keepsAlive: response.shouldKeepAlive };
    this.#requests.push(request);
    message.on('data', (bytes: Buffer) => {
      request.body += bytes.toString('latin1');
    });
    message.on('error', () => {});
    response.end();
  }

  onProblem(problem: string): void {
    if (!this.isOver) this.problem = problem;
  }

  get verdict(): RequestsVerdict {
    const requests = this.#requests.map(({ message, body, keepsAlive }) => ({
      method: message.method ?? '',
      target: message.url ?? '',
      version: message.httpVersion,
      fields: message.rawHeaders,
      body,
      trailers: message.rawTrailers,
      isAdmitted: true,
      isWhole: message.complete,
      keepsAlive,
    }));
    return { requests, problem: this.problem };
  }
}

const readings = new WeakMap<object, NodeReading>();

/** It never listens: connections are handed to it. */
const server = createServer({
  requireHostHeader: false,
  maxHeaderSize: 65_536,
  connectionsCheckingInterval: 2 ** 30,
});
const take = (message: IncomingMessage, response: ServerResponse) =>
  readings.get(message.socket)?.onRequest(message, response);
server.on('request', take);
// What else is expected is answered without a word of the request.
server.on('checkExpectation', take);
server.on('connect', (_, socket) => readings.get(socket)?.onProblem('a tunnel'));
server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
  readings.get(socket)?.onProblem(`${error.code}: ${error.message}`),
);

/** Whatever is told of a piece is told before the next turn of the event loop. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

export async function readAsNode(pieces: readonly Buffer[]): Promise<RequestsVerdict> {
  const connection = new FedConnection();
  const reading = new NodeReading();
  connection.on('error', () => {});
  readings.set(connection, reading);
  server.emit('connection', connection);
  for (const piece of pieces) {
    if (reading.isOver || connection.destroyed) break;
    connection.push(piece);
    await nextTurn();
  }
  const { verdict } = reading;
  connection.destroy();
  return verdict;
}
