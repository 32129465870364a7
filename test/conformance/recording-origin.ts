/**
 * An origin that keeps every byte and judges nothing while it listens: what the bytes mean is worked out
 * afterwards, strictly and leniently. It answers what any reading takes for a request, so that a gateway that
 * forwarded something ambiguous is not left waiting.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { ChangeSignal } from '../helpers/change-signal.ts';
import type { HttpMessage } from '../helpers/http-message.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import type { ConformanceCase, OriginStep } from './conformance-case.ts';
import { HABITS, readLeniently } from './lenient-reading.ts';
import type { OriginSide, StrictRequest } from './observation.ts';
import { readStrictly, targetOf } from './strict-reading.ts';
import { answer, BARRIER_TARGET, PROBE_TARGET } from './wire-text.ts';

/** What a connection sends beyond this is dropped; no case comes near it. */
const MAX_RECORDED_BYTES = 4_194_304;
const PLAIN_ANSWER: readonly OriginStep[] = [answer('ok')];

/** A request as far as answering needs it. */
interface Answerable {
  readonly target: string;
  readonly isHead: boolean;
  readonly closes: boolean;
}

export class RecordingOrigin {
  readonly port: number;
  readonly #server: Server;
  readonly #changed = new ChangeSignal();
  #connections: RecordedConnection[] = [];
  #answers: readonly OriginStep[] = PLAIN_ANSWER;
  answersAtHead = false;

  /** `server` must be listening. */
  constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket: Socket) => this.#accept(socket));
  }

  /** Ends all connections and forgets them; what comes next is answered as the case says. */
  begin({ answers = PLAIN_ANSWER, answersAtHead = false }: Partial<ConformanceCase>): void {
    for (const connection of this.#connections) connection.socket.destroy();
    this.#connections = [];
    this.#answers = answers;
    this.answersAtHead = answersAtHead;
  }

  /** How many bytes have come since `begin`. */
  get recordedBytes(): number {
    return this.#connections.reduce((sum, { size }) => sum + size, 0);
  }

  /** Waits until more than `bytes` have come, or `isOver` says that there will be none. */
  async waitForMore(bytes: number, isOver: () => boolean, limitMs: number): Promise<void> {
    const look = () => (this.recordedBytes > bytes || isOver() ? true : undefined);
    await this.#changed.waitFor(look, limitMs, () => 'nothing arrived').catch(() => {});
  }

  /** To be called when what `isOver` of a wait looks at has changed. */
  notify(): void {
    this.#changed.notify();
  }

  /**
   * What has come since `begin`. Whole requests of other clients are left out; where one of them is not whole,
   * it has become part of something else and stays.
   */
  observe(isOwn: (target: string) => boolean = () => true): OriginSide {
    const strict = this.#connections.map(({ bytes }) => readStrictly(bytes));
    const belongs = ({ message, isComplete }: StrictRequest) =>
      !(isComplete && targetOf(message) === BARRIER_TARGET) && isOwn(targetOf(message));
    const lenient = HABITS.map((habit) =>
      this.#connections.flatMap(({ bytes }) => readLeniently(bytes.toString('latin1'), habit)),
    );
    const problem = strict.find((reading) => reading.problem !== null)?.problem ?? null;
    const readings = lenient.map((requests) => requests.map(({ line }) => line).join('\n'));
    const strictLines = strict.flatMap(({ requests }) => requests.map(({ message }) => message.startLine));
    if (problem === null) readings.push(strictLines.join('\n'));
    return {
      requests: strict.flatMap(({ requests }) => requests.filter(belongs)),
      problem,
      lenient,
      readingsAgree: new Set(readings).size === 1,
    };
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.begin({});
    await closed;
  }

  answersTo({ target, isHead }: Answerable): readonly OriginStep[] {
    if (target.endsWith(BARRIER_TARGET)) return [answer('barrier')];
    if (target.endsWith(PROBE_TARGET)) return [answer('probe')];
    if (this.#answers === PLAIN_ANSWER && isHead) return ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'];
    return this.#answers;
  }

  #accept(socket: Socket): void {
    const connection = new RecordedConnection(socket);
    this.#connections.push(connection);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      connection.record(bytes);
      connection.answerNew(this);
      if (!this.answersAtHead) connection.grantContinue();
      this.#changed.notify();
    });
  }
}

class RecordedConnection {
  readonly socket: Socket;
  readonly #pieces: Buffer[] = [];
  size = 0;
  #answered = 0;
  #granted = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  record(bytes: Buffer): void {
    if (this.size < MAX_RECORDED_BYTES) this.#pieces.push(bytes);
    this.size += bytes.length;
  }

  /** Answers the requests that were not answered yet. */
  answerNew(origin: RecordingOrigin): void {
    const requests = listAnswerable(this.bytes, origin.answersAtHead);
    for (const request of requests.slice(this.#answered)) {
      for (const step of origin.answersTo(request)) this.#perform(step);
      if (request.closes) this.#perform({ ends: 'close' });
    }
    this.#answered = Math.max(this.#answered, requests.length);
  }

  /** Asks for the body of a request that waits to be asked (RFC 9110 §10.1.1). */
  grantContinue(): void {
    const { requests } = readStrictly(this.bytes);
    const last = requests.at(-1);
    if (last === undefined || last.isComplete || this.#granted === requests.length) return;
    if (last.message.header('expect')?.toLowerCase() !== '100-continue') return;
    this.#granted = requests.length;
    this.#perform('HTTP/1.1 100 Continue\r\n\r\n');
  }

  #perform(step: OriginStep): void {
    if (typeof step === 'string') {
      if (this.socket.writable) this.socket.write(step, 'latin1');
    } else if (step.ends === 'close') this.socket.end();
    // Once what was written is with the kernel: a reset would take it along.
    else this.socket.write('', () => this.socket.resetAndDestroy());
  }
}

/** The requests that can be answered: as the strict reading has them, or the longest of the lenient ones. */
function listAnswerable(bytes: Buffer, atHead: boolean): readonly Answerable[] {
  const { requests, problem } = readStrictly(bytes);
  const isDue = ({ isComplete }: { readonly isComplete: boolean }) => isComplete || atHead;
  if (problem === null)
    return requests.filter(isDue).map(({ message }) => describeAnswerable(message.startLine, message));
  const readings = HABITS.map((habit) => readLeniently(bytes.toString('latin1'), habit));
  const whole = readings.map((reading) => reading.filter(isDue));
  const longest = whole.reduce((best, reading) => (reading.length > best.length ? reading : best));
  return longest.map(({ line }) => describeAnswerable(line));
}

function describeAnswerable(line: string, message?: HttpMessage): Answerable {
  const [method, target = ''] = line.split(/\s+/);
  return { target, isHead: method === 'HEAD', closes: message?.header('connection') === 'close' };
}

/** Starts an origin on a free port of 127.0.0.1, which goes with the test. */
export async function startRecordingOrigin(owner: TestOwner): Promise<RecordingOrigin> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = new RecordingOrigin(server);
  owner.teardown(() => origin.close());
  return origin;
}
