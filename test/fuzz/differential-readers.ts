/** The readers of responses that are held against each other: the gateway's, that of the tests, Node's and undici's. */
import { Duplex } from 'node:stream';
import { Client, type Dispatcher } from 'undici';
import { NodeResponseParser } from '../helpers/node-response-parser.ts';
import { ResponseReader } from '../helpers/response-reader.ts';
import { readResponse } from '../helpers/response-recorder.ts';

/** Bytes of an origin, and how they come. */
export interface DeliveredResponse {
  readonly method: 'GET' | 'HEAD';
  readonly pieces: readonly Buffer[];
  /** Whether the connection ends behind them. */
  readonly closes: boolean;
}

/** What a reader takes the bytes for. */
export interface Verdict {
  /** Whether it found a whole response. */
  readonly isWhole: boolean;
  readonly interim: readonly number[];
  readonly status: number;
  /** Null where it does not tell. */
  readonly reason: string | null;
  /** Flat, in Latin-1. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** Whether it would send another request over the connection; null where it does not tell. */
  readonly keepsAlive: boolean | null;
  /** What it finds wrong before the response is whole, in its own words; empty where nothing is. */
  readonly problem: string;
}

export function readAsGateway({ method, pieces, closes }: DeliveredResponse): Verdict {
  const reading = readResponse(pieces, { method, closes });
  const { interim, head, body, trailers, keepsAlive, problem } = reading;
  return {
    isWhole: trailers !== null,
    interim: interim.map(({ status }) => status),
    status: head?.status ?? 0,
    reason: head?.reason ?? '',
    fields: head?.fields ?? [],
    body,
    trailers: trailers ?? [],
    keepsAlive,
    problem,
  };
}

/** Follows RFC 9112 to the letter, and shares nothing with any parser. */
export function readAsStrict({ method, pieces, closes }: DeliveredResponse): Verdict {
  const reader = new ResponseReader(method === 'HEAD');
  reader.feed(Buffer.concat(pieces));
  if (closes) reader.endInput('closed');
  const { response, problem } = reader;
  return {
    isWhole: problem === null && response?.ended === 'complete',
    interim: response?.informational.map(({ status }) => status) ?? [],
    status: response?.status ?? 0,
    reason: response?.reason ?? '',
    fields: response?.headers.flat() ?? [],
    body: response?.body.toString('latin1') ?? '',
    trailers: response?.trailers.flat() ?? [],
    keepsAlive: null,
    problem: problem?.message ?? '',
  };
}

/** Gathers what another reader tells, until the response is whole. */
class Gatherer implements Verdict {
  isWhole = false;
  interim: number[] = [];
  status = 0;
  reason: string | null = null;
  fields: string[] = [];
  body = '';
  trailers: string[] = [];
  keepsAlive: boolean | null = null;
  problem = '';

  onHead(status: number, reason: string | null, fields: string[], keepsAlive: boolean | null): void {
    if (this.isWhole) return;
    if (status < 200) this.interim.push(status);
    else Object.assign(this, { status, reason, fields, keepsAlive });
  }

  onBody(bytes: Buffer): void {
    if (!this.isWhole) this.body += bytes.toString('latin1');
  }

  onComplete(trailers: string[]): void {
    if (this.isWhole) return;
    this.isWhole = true;
    this.trailers = trailers;
  }

  onProblem(problem: string): void {
    if (!this.isWhole && this.problem === '') this.problem = problem;
  }
}

export function readAsNode({ method, pieces, closes }: DeliveredResponse): Verdict {
  const gatherer = new Gatherer();
  const parser = new NodeResponseParser(gatherer, method);
  for (const piece of pieces) {
    const problem = gatherer.isWhole ? null : parser.read(piece);
    if (problem !== null) gatherer.onProblem(problem);
    if (gatherer.isWhole || gatherer.problem !== '') return gatherer;
  }
  if (closes) gatherer.onProblem(parser.end() ?? '');
  return gatherer;
}

/** A connection without a network: every piece comes as it is. */
class ScriptedSocket extends Duplex {
  readonly #pieces: Buffer[];
  readonly #closes: boolean;
  #isAsked = false;

  constructor(pieces: readonly Buffer[], closes: boolean) {
    super();
    this.#pieces = [...pieces];
    this.#closes = closes;
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
    if (this.#isAsked) return;
    this.#isAsked = true;
    setImmediate(() => this.#deliver());
  }

  override _read(): void {}

  /** One after the other, so that none is read together with the next. */
  #deliver(): void {
    if (this.destroyed) return;
    const piece = this.#pieces.shift();
    if (piece === undefined) {
      if (this.#closes) this.push(null);
      else this.destroy(new Error('nothing more comes'));
      return;
    }
    this.push(piece);
    setImmediate(() => this.#deliver());
  }

  /** What undici calls besides. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/** Where the connection does not end, it breaks once all has been read: or undici would wait for ever. */
export async function readAsUndici({ method, pieces, closes }: DeliveredResponse): Promise<Verdict> {
  const gatherer = new Gatherer();
  const socket = new ScriptedSocket(pieces, closes);
  const client = new Client('http://origin.invalid', {
    connect: (_options, callback) => queueMicrotask(() => callback(null, socket as never)),
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 65_536,
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  client.dispatch({ method, path: '/' }, gatheringHandler(gatherer, resolve));
  await promise;
  socket.destroy();
  await client.destroy();
  return gatherer;
}

function gatheringHandler(gatherer: Gatherer, done: () => void): Dispatcher.DispatchHandler {
  return {
    onRequestStart() {},
    onResponseStart(controller, status) {
      // Of a reason that comes in pieces it tells only the last, and of the connection nothing.
      gatherer.onHead(status, null, latin1(controller.rawHeaders), null);
    },
    onResponseData(_controller, bytes) {
      gatherer.onBody(bytes);
    },
    onResponseEnd(controller) {
      gatherer.onComplete(latin1(controller.rawTrailers));
      done();
    },
    onResponseError(_controller, error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      gatherer.onProblem(`${code}: ${message}`);
      done();
    },
  };
}

/** What it tells flat is flat; the type knows other protocols, too. */
function latin1(texts: unknown): string[] {
  const list = (texts ?? []) as readonly (string | Buffer)[];
  return list.map((text) => (typeof text === 'string' ? text : text.toString('latin1')));
}
