/** Node's own parser of responses (llhttp), as its HTTP client uses it: strict, and not part of Node's public API. */
import { createRequire } from 'node:module';

interface BareParser {
  initialize(type: number, resource: object, maxHeaderBytes: number, leniency: number): void;
  execute(bytes: Buffer): number | CodedError;
  finish(): CodedError | undefined;
  [callback: number]: (...parameters: never[]) => unknown;
}

interface CodedError extends Error {
  readonly code: string;
}

interface BareParserClass {
  new (): BareParser;
  readonly RESPONSE: number;
  readonly kLenientNone: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const { HTTPParser } = createRequire(import.meta.url)('_http_common') as { HTTPParser: BareParserClass };

/** As large as the gateway's own limit. */
const MAX_HEAD_BYTES = 65_536;

/** What Node's client answers the parser with, once it has the head. */
const READ_BODY = 0;
const NO_BODY = 1;

export interface NodeResponseSink {
  /** Interim responses too. */
  onHead(status: number, reason: string, fields: string[], keepsAlive: boolean): void;
  onBody(bytes: Buffer): void;
  onComplete(trailers: string[]): void;
}

export class NodeResponseParser {
  readonly #sink: NodeResponseSink;
  readonly #parser = new HTTPParser();
  readonly #isHeadRequest: boolean;
  /** Fields that came before the rest of their section: there may be too many for one call. */
  #early: string[] = [];
  #isInterim = false;
  /** Behind a 101 there is no HTTP any more. */
  #isUpgraded = false;

  constructor(sink: NodeResponseSink, method: string) {
    this.#sink = sink;
    this.#isHeadRequest = method === 'HEAD';
    const parser = this.#parser;
    parser.initialize(HTTPParser.RESPONSE, {}, MAX_HEAD_BYTES, HTTPParser.kLenientNone);
    parser[HTTPParser.kOnHeaders] = (fields: string[]) => void this.#early.push(...fields);
    parser[HTTPParser.kOnHeadersComplete] = (
      _major: number,
      _minor: number,
      fields: string[] | undefined,
      _method: number,
      _target: string,
      status: number,
      reason: string,
      _upgrade: boolean,
      keepsAlive: boolean,
    ) => this.#onHead(status, reason, fields, keepsAlive);
    parser[HTTPParser.kOnBody] = (bytes: Buffer) => sink.onBody(bytes);
    parser[HTTPParser.kOnMessageComplete] = () => this.#onComplete();
  }

  /** @returns the code of what is wrong with the bytes; null where nothing is */
  read(bytes: Buffer): string | null {
    const result = this.#parser.execute(bytes);
    if (this.#isUpgraded) return 'UPGRADED';
    return typeof result === 'number' ? null : result.code;
  }

  /** The connection has ended. @returns as `read` */
  end(): string | null {
    return this.#parser.finish()?.code ?? null;
  }

  #onHead(status: number, reason: string, fields: string[] | undefined, keepsAlive: boolean): number {
    this.#isInterim = status < 200;
    this.#isUpgraded = status === 101;
    this.#sink.onHead(status, reason, fields ?? this.#takeEarly(), keepsAlive);
    return this.#isInterim || this.#isHeadRequest ? NO_BODY : READ_BODY;
  }

  #onComplete(): void {
    const trailers = this.#takeEarly();
    if (!this.#isInterim) this.#sink.onComplete(trailers);
  }

  #takeEarly(): string[] {
    const fields = this.#early;
    this.#early = [];
    return fields;
  }
}
