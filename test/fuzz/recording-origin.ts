/** An origin that holds every request against what its client sent, and answers with words that only it may get. */
import type { HeaderField } from '../helpers/http-message.ts';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import type { OriginRequest, RequestEnd } from '../helpers/origin-request.ts';
import { type ScriptedOrigin, startOrigin } from '../helpers/scripted-origin.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { type FuzzedClient, findForeignTrailer, type Ledger } from './ledger.ts';
import { measureLeniently } from './lenient-reader.ts';
import { showBytes } from './mutations.ts';

/**
 * How a request is answered, and when: before its end, at once, or so late that what is behind it could overtake it.
 * One for a WebSocket gets a refusal for `early`, else a 101 and an echo.
 */
export type AnswerKind = 'whole' | 'chunked' | 'early' | 'late' | 'empty' | 'hints' | 'close';

const LATE_MS = 5;

/** How each client's requests are to be answered, in turn. */
export type AnswerChooser = (client: FuzzedClient, index: number) => AnswerKind;

/** A request at the origin whose sender is known. */
interface Claim {
  readonly client: FuzzedClient;
  readonly index: number;
  readonly received: OriginRequest;
  readonly connection: OriginConnection;
}

export class RecordingOrigin {
  requestCount = 0;
  readonly origin: ScriptedOrigin;
  readonly #ledger: Ledger;
  readonly #chooseAnswer: AnswerChooser;

  constructor(origin: ScriptedOrigin, ledger: Ledger, chooseAnswer: AnswerChooser) {
    this.origin = origin;
    this.#ledger = ledger;
    this.#chooseAnswer = chooseAnswer;
    origin.handler = (request, connection) => this.#receive(request, connection);
  }

  /** Reports what was no HTTP at all, and forgets what is settled. */
  settle(): void {
    for (const { problem } of this.origin.malformed.splice(0)) {
      this.#ledger.report('ambiguous request', problem, Buffer.alloc(0));
    }
    this.origin.requests.length = 0;
  }

  #receive(received: OriginRequest, connection: OriginConnection): void {
    this.requestCount += 1;
    const client = this.#ledger.clientAt(received.header('x-forwarded-for') ?? '');
    const index = client?.claim(received) ?? null;
    if (client === undefined || index === null) {
      const shown = showBytes(received.headBytes);
      this.#ledger.report('leaked request', `nobody sent ${shown}`, client?.sent ?? Buffer.alloc(0));
      connection.answer({ status: 500 });
      return;
    }
    const claim: Claim = { client, index, received, connection };
    const kind = this.#chooseAnswer(client, index);
    if (received.header('upgrade') !== undefined) this.#answerUpgrade(claim, kind);
    else void this.#answer(claim, kind);
  }

  async #answer(claim: Claim, kind: AnswerKind): Promise<void> {
    const { received, connection } = claim;
    if (kind === 'early') this.#send(claim, kind);
    else if (received.header('expect') !== undefined) connection.inform(100);
    const end = await received.ended;
    this.#check(claim, end);
    if (kind === 'late') await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    if (kind !== 'early' && end === 'complete') this.#send(claim, kind);
  }

  /** Holds what came against what was sent. */
  #check(claim: Claim, end: RequestEnd): void {
    const problem = end === 'complete' ? this.#findWholeFault(claim) : findPartFault(claim);
    if (problem !== null) this.#ledger.report('changed request', problem, claim.client.sent);
    const bytes = Buffer.concat([claim.received.headBytes, claim.received.bodyBytes]);
    const foreign = this.#ledger.findForeignSecret(bytes, claim.client);
    if (foreign !== undefined) this.#ledger.report('foreign bytes', foreign, claim.client.sent);
    if (end !== 'complete') return;
    const size = measureLeniently(bytes);
    if (size === bytes.length) return;
    const shown = `a lenient origin reads ${size} of ${bytes.length} bytes: ${showBytes(bytes)}`;
    this.#ledger.report('ambiguous request', shown, claim.client.sent);
  }

  #findWholeFault({ client, index, received }: Claim): string | null {
    const request = client.reading.requests[index];
    if (request === undefined || !request.isWhole) return `request ${index} is not whole`;
    if (!received.body.equals(request.content)) return `the body is ${showBytes(received.body)}`;
    const trailer = findForeignTrailer(received, request);
    return trailer === undefined ? null : `the trailer ${trailer.join(': ')}`;
  }

  #send(claim: Claim, kind: AnswerKind): void {
    const { received, connection } = claim;
    const status = kind === 'empty' ? 204 : 200;
    const token = this.#ledger.createSecret('tk');
    const body = status === 204 ? '' : `${token} for ${received.header('x-marker') ?? 'nobody'}`;
    this.#issue(claim, token, status, body);
    const headers: HeaderField[] = [['X-Answer', token]];
    if (kind === 'hints') connection.inform(103, [['Link', `</${token}>; rel=preload`]]);
    if (kind === 'close') headers.push(['Connection', 'close']);
    if (kind === 'chunked') connection.write(formatChunked(token, body, received.method === 'HEAD'));
    else connection.answer({ status, headers, body: Buffer.from(body, 'latin1') });
    if (kind === 'close') connection.close();
  }

  #issue({ client, index }: Claim, token: string, status: number, body: string): void {
    this.#ledger.issue(token, { client, index, status, body: Buffer.from(body, 'latin1') });
  }

  #answerUpgrade(claim: Claim, kind: AnswerKind): void {
    const { client, index, connection } = claim;
    if (client.reading.requests[index]?.asksForWebSocket !== true) {
      this.#ledger.report('changed request', 'a WebSocket that nobody asked for', client.sent);
    }
    if (kind === 'early') {
      this.#send(claim, 'close');
      return;
    }
    const token = this.#ledger.createSecret('tk');
    this.#issue(claim, token, 101, '');
    const fields: HeaderField[] = [
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['X-Answer', token],
    ];
    const socket = connection.switchProtocols(fields);
    this.#echo(client, socket);
  }

  /** Sends back what comes through the tunnel, which must be what the client sent behind its request. */
  #echo(client: FuzzedClient, socket: NodeJS.ReadWriteStream): void {
    let offset = 0;
    socket.on('data', (bytes: Buffer) => {
      const expected = client.reading.tunnelled.subarray(offset, offset + bytes.length);
      offset += bytes.length;
      if (!bytes.equals(expected)) {
        this.#ledger.report('changed request', `in the tunnel: ${showBytes(bytes)}`, client.sent);
      }
      socket.write(bytes);
    });
    socket.on('end', () => socket.end());
  }
}

function findPartFault({ client, index, received }: Claim): string | null {
  const content = client.reading.requests[index]?.content ?? Buffer.alloc(0);
  const { body } = received;
  return body.equals(content.subarray(0, body.length)) ? null : `the body begins ${showBytes(body)}`;
}

/** In one piece: more writes would wait for each other's acknowledgement. */
function formatChunked(token: string, body: string, toHead: boolean): string {
  const head = `HTTP/1.1 200 OK\r\nX-Answer: ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  return toHead ? head : `${head}${body.length.toString(16)};ext=${token}\r\n${body}\r\n0\r\n\r\n`;
}

export async function startRecordingOrigin(
  owner: TestOwner,
  ledger: Ledger,
  chooseAnswer: AnswerChooser,
): Promise<RecordingOrigin> {
  const origin = await startOrigin(() => {}, { owner });
  return new RecordingOrigin(origin, ledger, chooseAnswer);
}
