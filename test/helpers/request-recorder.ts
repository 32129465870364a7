/** What the gateway's parser tells of the bytes of a client, as one value to compare. */
import { MessageError } from '../../lib/proxy/http1/message-error.ts';
import { type ReadHead, RequestParser, type RequestSink } from '../../lib/proxy/http1/request-parser.ts';

export interface RecordedRequest {
  readonly head: ReadHead;
  readonly body: string;
  /** Flat; null until the request is whole. */
  readonly trailers: readonly string[] | null;
}

/** Takes requests one after another, and refuses to hear anything that does not belong to one. */
class RequestRecorder implements RequestSink {
  readonly requests: RecordedRequest[] = [];

  onHead(head: ReadHead): void {
    const last = this.requests.at(-1);
    this.#require(last === undefined || last.trailers !== null, 'a head out of place');
    this.requests.push({ head, body: '', trailers: head.isWhole ? [] : null });
  }

  /** Keeps a copy: the bytes are only lent. */
  onBody(bytes: Buffer): void {
    const last = this.#incomplete('a body out of place');
    this.#require(bytes.length > 0, 'nothing of a body');
    this.#replaceLast({ ...last, body: last.body + bytes.toString('latin1') });
  }

  onComplete(trailers: string[]): void {
    this.#replaceLast({ ...this.#incomplete('an end out of place'), trailers });
  }

  #incomplete(otherwise: string): RecordedRequest {
    const last = this.requests.at(-1);
    if (last?.trailers !== null || !last.head.isFramed) throw new Error(otherwise);
    return last;
  }

  #replaceLast(request: RecordedRequest): void {
    this.requests[this.requests.length - 1] = request;
  }

  #require(isTrue: boolean, otherwise: string): void {
    if (!isTrue) throw new Error(otherwise);
  }
}

export interface RequestsReading {
  readonly requests: readonly RecordedRequest[];
  /** Whether more of a head, or of a body, is waited for. */
  readonly isInHead: boolean;
  readonly isInBody: boolean;
  /** What is wrong with the bytes; empty where nothing is. */
  readonly problem: string;
}

/** As large as the gateway's own limit for responses. */
const MAX_HEAD_BYTES = 65_536;

/** Reads all that comes in these pieces, one request after another. @throws what is not the parser's own error */
export function readRequests(
  pieces: readonly (string | Buffer)[],
  maxHeadBytes = MAX_HEAD_BYTES,
): RequestsReading {
  const recorder = new RequestRecorder();
  const parser = new RequestParser(recorder, maxHeadBytes);
  const problem = problemOf(() => {
    for (const piece of pieces)
      readAll(parser, typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  });
  const { isInHead, isInBody } = parser;
  return { requests: recorder.requests, isInHead, isInBody, problem };
}

/** As a connection does that answers at once. */
function readAll(parser: RequestParser, bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) at = parser.read(bytes, at);
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
