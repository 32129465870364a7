/**
 * Who sent what, and which answer is whose. Every client has an address of its own, which the gateway tells the
 * origin in X-Forwarded-For and no client can forge, so each request at the origin is held against what that
 * client sent. Markers and tokens are hashes: no mutation makes one client's out of another's.
 */
import { createHash } from 'node:crypto';
import type { HeaderField } from '../helpers/http-message.ts';
import type { OriginRequest } from '../helpers/origin-request.ts';
import { showBytes } from './mutations.ts';
import {
  findForeignField,
  type ReferenceReading,
  type ReferenceRequest,
  readStrictly,
} from './reference-reader.ts';

/** Older ones are forgotten: what they sent cannot turn up any more. */
const MOST_CLIENTS = 5_000;
const MOST_SECRETS = 50_000;

export type Fault =
  | 'crash'
  | 'leaked request'
  | 'second request'
  | 'changed request'
  | 'ambiguous request'
  | 'foreign bytes'
  | 'wrong answer'
  | 'cut answer'
  | 'malformed answer'
  | 'no answer'
  | 'bad reference'
  | 'unexplained difference';

/** Something that must never happen, with the bytes that brought it about. */
export class FuzzFault extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, detail: string, sent: Buffer) {
    super(`${fault}: ${detail}\n  bytes: ${showBytes(sent)}`);
    this.fault = fault;
  }
}

/** A client of one connection, whose bytes are all known before the first is sent. */
export class FuzzedClient {
  readonly address: string;
  readonly sent: Buffer;
  readonly reading: ReferenceReading;
  #claimed = 0;

  constructor(address: string, sent: Buffer) {
    this.address = address;
    this.sent = sent;
    this.reading = readStrictly(sent);
  }

  /** So many of its requests, from the first, have come to the origin or been passed over. */
  get claimedCount(): number {
    return this.#claimed;
  }

  /**
   * Finds which of the client's requests came to the origin: one behind those that came before.
   * @returns its index, or null where the client sent no such request, or not once more
   */
  claim(received: OriginRequest): number | null {
    const { requests } = this.reading;
    for (let index = this.#claimed; index < requests.length; index++) {
      const request = requests[index];
      if (request === undefined || !isForwarded(request, received)) continue;
      this.#claimed = index + 1;
      return index;
    }
    return null;
  }
}

/** What the gateway sets itself; everything else must be the client's own. */
const OWN_FIELDS =
  /^(?:host|connection|content-length|transfer-encoding|te|expect|upgrade|forwarded|cookie|x-forwarded-.*|x-request-id)$/i;

function isForwarded(request: ReferenceRequest, received: OriginRequest): boolean {
  const fields = received.headers.filter(([name]) => !OWN_FIELDS.test(name));
  return (
    request.target !== null &&
    received.startLine === `${request.method} ${request.target} HTTP/1.1` &&
    findForeignField(fields, request.headers) === undefined
  );
}

/** An answer of the origin, as the client must get it. */
export interface IssuedAnswer {
  readonly client: FuzzedClient;
  /** Which of the client's requests it answers. */
  readonly index: number;
  readonly status: number;
  readonly body: Buffer;
}

const SECRET = /(?:mk|tk)[0-9a-f]{16}/g;

export class Ledger {
  readonly answers = new Map<string, IssuedAnswer>();
  readonly #seed: number;
  readonly #clients = new Map<string, FuzzedClient>();
  readonly #owners = new Map<string, object>();
  #faults: FuzzFault[] = [];
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** An address of the loopback network that nobody has used for a long time. */
  createAddress(): string {
    const number = this.#next();
    return `127.${1 + ((number >> 16) % 250)}.${(number >> 8) & 0xff}.${1 + (number & 0x7f)}`;
  }

  /** A word that only its owner's bytes may hold. `kind` is `mk` for requests, `tk` for answers. */
  createSecret(kind: 'mk' | 'tk', owner: object | null = null): string {
    const hash = createHash('sha256').update(`${this.#seed} ${this.#next()}`).digest('hex');
    const secret = `${kind}${hash.slice(0, 16)}`;
    if (owner !== null) this.own(secret, owner);
    return secret;
  }

  own(secret: string, owner: object): void {
    remember(this.#owners, secret, owner, MOST_SECRETS);
  }

  addClient(client: FuzzedClient): void {
    remember(this.#clients, client.address, client, MOST_CLIENTS);
  }

  clientAt(address: string): FuzzedClient | undefined {
    return this.#clients.get(address);
  }

  issue(token: string, answer: IssuedAnswer): void {
    this.own(token, answer.client);
    remember(this.answers, token, answer, MOST_SECRETS);
  }

  /** A word in `bytes` that belongs to somebody else than `owner`. */
  findForeignSecret(bytes: Buffer, owner: object): string | undefined {
    const words = bytes.toString('latin1').match(SECRET) ?? [];
    return words.find((word) => (this.#owners.get(word) ?? owner) !== owner);
  }

  report(fault: Fault, detail: string, sent: Buffer): void {
    this.#faults.push(new FuzzFault(fault, detail, sent));
  }

  /** @throws FuzzFault the first that was reported since the last call */
  throwReported(): void {
    const [first] = this.#faults;
    this.#faults = [];
    if (first !== undefined) throw first;
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }
}

function remember<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

/** Whether all trailers that came are those of the request. */
export function findForeignTrailer(
  received: OriginRequest,
  request: ReferenceRequest,
): HeaderField | undefined {
  return findForeignField(received.trailers, request.trailers);
}
