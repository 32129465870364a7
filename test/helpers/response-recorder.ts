/** What the gateway's parser tells of the bytes of a connection, as one value to compare. */
import { MessageError } from '../../lib/proxy/http1/message-error.ts';
import { ResponseParser, type ResponseSink } from '../../lib/proxy/http1/response-parser.ts';

interface RecordedHead {
  readonly status: number;
  readonly reason: string;
  /** Flat. */
  readonly fields: readonly string[];
}

/** Takes one response, and refuses to hear anything after its end. */
class ResponseRecorder implements ResponseSink {
  readonly interim: RecordedHead[] = [];
  head: RecordedHead | null = null;
  readonly #body: Buffer[] = [];
  /** Flat; null until the response is whole. */
  trailers: readonly string[] | null = null;

  get body(): Buffer {
    return Buffer.concat(this.#body);
  }

  get isComplete(): boolean {
    return this.trailers !== null;
  }

  onInterim(status: number, fields: string[]): void {
    this.#require(this.head === null, 'an interim response behind the final one');
    this.interim.push({ status, reason: '', fields });
  }

  onHead(status: number, reason: string, fields: string[]): void {
    this.#require(this.head === null, 'a second head');
    this.head = { status, reason, fields };
  }

  /** Keeps a copy: the bytes are only lent. */
  onBody(bytes: Buffer): void {
    this.#require(this.head !== null && !this.isComplete && bytes.length > 0, 'a body out of place');
    this.#body.push(Buffer.from(bytes));
  }

  onComplete(trailers: string[]): void {
    this.#require(this.head !== null && !this.isComplete, 'an end out of place');
    this.trailers = trailers;
  }

  #require(isTrue: boolean, otherwise: string): void {
    if (!isTrue) throw new Error(otherwise);
  }
}

export interface ResponseReading {
  readonly interim: readonly RecordedHead[];
  readonly head: RecordedHead | null;
  readonly body: string;
  readonly trailers: readonly string[] | null;
  /** Whether the connection may carry another exchange: never where anything is wrong. */
  readonly keepsAlive: boolean;
  readonly keepAliveSeconds: number;
  /** What is wrong with the bytes up to the end of the response; empty where nothing is. */
  readonly problem: string;
}

/** How a connection goes. */
export interface Delivery {
  readonly method?: string;
  /** Whether the connection ends behind the bytes. */
  readonly closes?: boolean;
}

/** Reads one response, which comes in these pieces. @throws what is not the parser's own error */
export function readResponse(
  pieces: readonly (string | Buffer)[],
  { method = 'GET', closes = false }: Delivery = {},
): ResponseReading {
  const recorder = new ResponseRecorder();
  const parser = new ResponseParser(recorder);
  parser.begin(method);
  let problem = problemOf(() => {
    for (const piece of pieces) parser.read(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  });
  // Behind a response that is whole, what is wrong only costs the connection.
  const isSpoilt = problem !== '';
  if (recorder.isComplete) problem = '';
  else if (closes && !isSpoilt && !parser.end()) problem = 'broken off';
  const { interim, head, body, trailers } = recorder;
  return {
    interim,
    head,
    body: body.toString('latin1'),
    trailers,
    keepsAlive: recorder.isComplete && !isSpoilt && parser.keepsAlive,
    keepAliveSeconds: parser.keepAliveSeconds,
    problem,
  };
}

function problemOf(act: () => void): string {
  try {
    act();
    return '';
  } catch (error) {
    if (error instanceof MessageError) return error.message;
    throw error;
  }
}
