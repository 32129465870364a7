/** The gateway's own upstream engine without a gateway, what it is given to send, and what becomes of that. */
import { Materials } from '../../../lib/auth/materials.ts';
import type { OriginTls as OriginTlsSettings } from '../../../lib/core/config/model.ts';
import { AddressSet } from '../../../lib/core/policy/address-ranges.ts';
import { createGuardedLookup, type ResolveAll } from '../../../lib/net/guarded-lookup.ts';
import { Http1Upstream } from '../../../lib/proxy/http1/http1-upstream.ts';
import type { Lender } from '../../../lib/proxy/http1/read-memory.ts';
import { OriginAccess } from '../../../lib/proxy/origin-access.ts';
import { OriginTls } from '../../../lib/proxy/tls/origin-tls.ts';
import type {
  BodySink,
  BodySource,
  Upstream,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamOptions,
  UpstreamRequest,
} from '../../../lib/proxy/upstream.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { TestOwner } from '../../helpers/test-owner.ts';

export interface UpstreamSettings extends Partial<UpstreamOptions> {
  readonly tls?: OriginTlsSettings;
  /** What the TLS settings refer to. */
  readonly materials?: Materials;
  /** As the system does it unless given. */
  readonly resolve?: ResolveAll;
}

/** Nothing of it runs out by itself within a test, unless `settings` say so. */
const DEFAULTS: UpstreamOptions = {
  connectMs: 60_000,
  maxConnections: 100,
  maxQueued: 100,
  idleMs: 60_000,
};

/** An upstream to one origin, which is destroyed with the test. */
export function createUpstream(
  owner: TestOwner,
  url: string,
  { tls = {}, materials = new Materials(() => {}), resolve, ...options }: UpstreamSettings = {},
): Http1Upstream {
  const allowedAddresses = new AddressSet([]);
  const lookup = createGuardedLookup(allowedAddresses, resolve);
  const access = new OriginAccess(new URL(url), new OriginTls(tls, materials), { lookup, allowedAddresses });
  const upstream = new Http1Upstream(access, { ...DEFAULTS, ...options });
  owner.teardown(() => upstream.destroy());
  return upstream;
}

/** A body that is here from the beginning, but given only as fast as it is taken. */
export class HeldBody implements BodySource {
  readonly #chunks: readonly Buffer[];
  readonly #endsItself: boolean;
  #sink: BodySink | null = null;
  #next = 0;
  #hasEnded = false;
  /** How often it was opened. */
  opened = 0;
  /** Whether a sink has said that it takes nothing more. */
  isDetached = false;

  /** @param endsItself false: only when `end` is called */
  constructor(chunks: readonly (string | Buffer)[], endsItself = true) {
    this.#chunks = chunks.map((chunk) => Buffer.from(chunk));
    this.#endsItself = endsItself;
  }

  get isHere(): boolean {
    return true;
  }

  get givenBytes(): number {
    return this.#chunks.slice(0, this.#next).reduce((sum, { length }) => sum + length, 0);
  }

  open(sink: BodySink): void {
    this.opened += 1;
    this.#sink = sink;
    this.#next = 0;
    this.#give();
  }

  pull(sink: BodySink): void {
    if (sink === this.#sink) this.#give();
  }

  detach(sink: BodySink): void {
    if (sink !== this.#sink) return;
    this.#sink = null;
    this.isDetached = true;
  }

  end(): void {
    this.#hasEnded = true;
    this.#sink?.onBodyEnd();
  }

  #give(): void {
    while (this.#next < this.#chunks.length) {
      this.#next += 1;
      if (this.#sink?.onBodyData(this.#chunks[this.#next - 1]!, null) !== true) return;
    }
    if (this.#endsItself && !this.#hasEnded) this.end();
  }
}

/** For so many turns of the event loop, at least, a connection is not used again. */
const TURNS_AT_REST = 3;

async function afterTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** One request that was given to an upstream, and all that was told of it. */
export class SentRequest implements UpstreamHandler {
  readonly exchange: UpstreamExchange;
  /** Resolves when all is over, whichever way, and its connection, where that is kept, can be used again. */
  readonly over: Promise<this>;
  /** What was told, in order: `sent`, `continue`, a status for each head, `end`, `failure`. */
  readonly told: (string | number)[] = [];
  fields: readonly string[] = [];
  trailers: readonly string[] = [];
  failure: UpstreamFailure | null = null;
  receivedBytes = 0;
  /** Asked for each piece of the body whether to go on; what it says to the last is kept to. */
  takesMore: () => boolean = () => true;
  readonly #chunks: Buffer[] = [];
  readonly #head = Promise.withResolvers<void>();
  readonly #firstData = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<this>();

  constructor(upstream: Upstream, request: UpstreamRequest) {
    this.over = this.#over.promise;
    this.exchange = upstream.dispatch(request, this);
  }

  /** Resolves when the final head has come. */
  get head(): Promise<void> {
    return this.#head.promise;
  }

  /** Resolves when something of the body has come. */
  get firstData(): Promise<void> {
    return this.#firstData.promise;
  }

  /** The pieces as they were given, only those copied that were borrowed. */
  get body(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Status and body, or the code of the failure without what all have in common. */
  get outcome(): string {
    if (this.failure !== null) return this.failure.error.code.replace('GW_ERR_UPSTREAM_', '');
    return `${this.told.findLast((one) => typeof one === 'number')} ${this.body.toString('latin1')}`;
  }

  onSent(): void {
    this.#tell('sent');
  }

  onContinue(): void {
    this.#tell('continue');
  }

  onInformation(status: number): void {
    this.#tell(status);
  }

  onHead(status: number, _statusText: string, rawHeaders: string[]): void {
    this.#tell(status);
    this.fields = rawHeaders;
    this.#head.resolve();
  }

  onData(chunk: Buffer, lender: Lender | null): boolean {
    this.#requireRunning();
    this.#chunks.push(lender === null ? chunk : Buffer.from(chunk));
    this.receivedBytes += chunk.length;
    this.#firstData.resolve();
    return this.takesMore();
  }

  onReadEnd(): void {
    this.#requireRunning();
  }

  onEnd(rawTrailers: string[]): void {
    this.#tell('end');
    this.trailers = rawTrailers;
    void afterTurns(TURNS_AT_REST).then(() => this.#over.resolve(this));
  }

  onFailure(failure: UpstreamFailure): void {
    this.#tell('failure');
    this.failure = failure;
    this.#over.resolve(this);
  }

  #tell(what: string | number): void {
    this.#requireRunning();
    this.told.push(what);
  }

  #requireRunning(): void {
    const last = this.told.at(-1);
    if (last === 'end' || last === 'failure') throw new Error('something was told after the end');
  }
}

/** Gives a request to the upstream: a GET of `target`, unless `parts` say something else. */
export function send(upstream: Upstream, target = '/', parts: Partial<UpstreamRequest> = {}): SentRequest {
  return new SentRequest(upstream, {
    method: 'GET',
    target,
    host: 'origin.test',
    headers: [],
    body: null,
    expectContinue: false,
    trailers: null,
    freshConnection: false,
    mayRepeat: parts.method !== 'POST',
    ...parts,
  });
}

/** What becomes of a request in the end: status and body, or the code of its failure. */
export async function outcomeOf(sent: SentRequest): Promise<string> {
  return (await sent.over).outcome;
}

/** What keeps this process alive, by kind, but for its servers: timers, connections, and what is asked of the system. */
export function activeResources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kind !== 'TCPServerWrap')
    .sort();
}

const atFirst = activeResources();

/** Waits until nothing more keeps this process alive than before the first test. @throws Error where that never comes */
export async function settle(): Promise<void> {
  await eventually(() => {
    const now = activeResources();
    const countOf = (kinds: readonly string[], kind: string) => kinds.filter((one) => one === kind).length;
    if (now.some((kind) => countOf(now, kind) > countOf(atFirst, kind)))
      throw new Error(`${now.join()} instead of ${atFirst.join()}`);
  }, 10_000);
}
