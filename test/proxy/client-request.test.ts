/** The body of a client's request between the connection that reads it and whoever takes it. */
import t from 'tap';
import { RequestHead } from '../../lib/core/http/request-headers.ts';
import { type BodyTaker, ClientRequest, type RequestConnection } from '../../lib/proxy/client-request.ts';
import type { Lender } from '../../lib/proxy/http1/read-memory.ts';

const HEAD = {
  method: 'POST',
  target: '/a',
  version: '1.1',
  rawHeaders: ['Host', 'a'],
  head: new RequestHead(),
  isWhole: false,
  isFramed: true,
};

/** Where pieces are borrowed from; nobody has to ask for them here. */
const LENDER: Lender = { hold: (piece) => piece, release() {} };

/** Counts how often it is told to read on. */
class Connection implements RequestConnection {
  readOns = 0;

  readOn(): void {
    this.readOns += 1;
  }
}

/** Notes what it gets, and does something about it. */
class Taker implements BodyTaker {
  readonly events: string[] = [];
  readonly lenders: (Lender | null)[] = [];
  readonly #react: (event: string) => void;

  constructor(react: (event: string) => void = () => {}) {
    this.#react = react;
  }

  onData(bytes: Buffer, lender: Lender | null): void {
    this.lenders.push(lender);
    this.#note(bytes.toString());
  }

  onEnd(): void {
    this.#note('end');
  }

  #note(event: string): void {
    this.events.push(event);
    this.#react(event);
  }
}

function create(isWhole = false) {
  const connection = new Connection();
  const request = new ClientRequest({ ...HEAD, isWhole }, connection);
  const push = (text: string, lender: Lender | null = null) => request.push(Buffer.from(text), lender);
  return { connection, request, push };
}

t.test('it is what its head says', async (t) => {
  const { request } = create();
  t.match(request, HEAD);
  t.same([request.complete, request.rawTrailers, request.flows, request.isHeldUp], [false, [], false, false]);
});

t.test('what comes before anybody takes it waits, and holds up what comes behind', async (t) => {
  const { request, push, connection } = create();
  push('a');
  t.same([request.hasKept, request.isHeldUp], [true, true]);
  push('b');
  const taker = new Taker();
  request.flowTo(taker);
  t.same(taker.events, ['a', 'b']);
  t.same([request.hasKept, request.isHeldUp, request.flows], [false, false, true]);
  t.equal(connection.readOns, 1, 'then more is read');
});

t.test('what comes while it flows is handed on at once, with its lender', async (t) => {
  const { request } = create();
  const taker = new Taker();
  request.flowTo(taker);
  const seen: Buffer[] = [];
  taker.onData = (bytes, lender) => {
    seen.push(bytes);
    taker.lenders.push(lender);
  };
  const [lent, owned] = [Buffer.from('a'), Buffer.from('b')];
  request.push(lent, LENDER);
  request.push(owned, null);
  t.equal(seen[0], lent, 'without a copy');
  t.equal(seen[1], owned);
  t.same(taker.lenders, [LENDER, null]);
  t.equal(request.hasKept, false);
});

t.test('borrowed bytes that have to wait are copied, others are not', async (t) => {
  const { request } = create();
  const [lent, owned] = [Buffer.from('lent'), Buffer.from('own')];
  request.push(lent, LENDER);
  request.push(owned, null);
  lent.fill('x');
  const seen: Buffer[] = [];
  const lenders: unknown[] = [];
  request.flowTo({
    onData(bytes, lender) {
      seen.push(bytes);
      lenders.push(lender);
    },
    onEnd() {},
  });
  t.same(seen.map(String), ['lent', 'own']);
  t.equal(seen[1], owned);
  t.same(lenders, [null, null], 'nobody else has to be asked for what was kept');
});

t.test('paused it keeps what comes, borrowed bytes as copies', async (t) => {
  const { request, push, connection } = create();
  const taker = new Taker();
  request.flowTo(taker);
  push('a');
  request.pause();
  t.same([request.flows, request.isHeldUp], [false, false], 'nothing is held up as long as nothing waits');
  const lent = Buffer.from('b');
  request.push(lent, LENDER);
  lent.fill('x');
  t.same([taker.events, request.isHeldUp], [['a'], true]);
  request.flowTo(taker);
  t.same(taker.events, ['a', 'b']);
  t.same(taker.lenders, [null, null]);
  t.equal(connection.readOns, 2);
});

t.test('who pauses within a piece gets no more of what waits, nor the end', async (t) => {
  const { request, push, connection } = create();
  for (const text of ['a', 'b', 'c']) push(text);
  request.finish([]);
  const taker = new Taker((event) => {
    if (event === 'a' || event === 'c') request.pause();
  });
  request.flowTo(taker);
  t.same(taker.events, ['a']);
  t.same([request.hasKept, connection.readOns], [true, 0], 'and nothing more is read');
  request.flowTo(taker);
  t.same(taker.events, ['a', 'b', 'c'], 'also with the last piece');
  t.same([request.hasKept, connection.readOns], [false, 0]);
  request.flowTo(taker);
  t.same(taker.events, ['a', 'b', 'c', 'end']);
});

t.test('who pauses and flows within a piece gets all of it in order, once', async (t) => {
  const { request, push } = create();
  for (const text of ['a', 'b', 'c']) push(text);
  const taker: Taker = new Taker((event) => {
    request.pause();
    if (event !== 'end') request.flowTo(taker);
  });
  request.flowTo(taker);
  request.finish([]);
  t.same(taker.events, ['a', 'b', 'c', 'end']);
});

t.test('who asks within a piece for what flows already changes nothing', async (t) => {
  const { request, push, connection } = create();
  const taker: Taker = new Taker(() => request.flowTo(taker));
  push('a');
  push('b');
  request.flowTo(taker);
  push('c');
  request.finish([]);
  t.same(taker.events, ['a', 'b', 'c', 'end']);
  t.equal(connection.readOns, 1);
});

t.test('another taker gets what comes from there on', async (t) => {
  const { request, push } = create();
  const [one, other] = [new Taker(), new Taker()];
  request.flowTo(one);
  push('a');
  request.flowTo(other);
  push('b');
  request.pause();
  push('c');
  request.flowTo(one);
  request.finish([]);
  t.same([one.events, other.events], [['a', 'c', 'end'], ['b']]);
});

t.test('the end is told once, with the trailers, to whoever takes it', async (t) => {
  const { request, push } = create();
  const taker = new Taker();
  request.flowTo(taker);
  push('a');
  t.equal(request.complete, false);
  request.finish(['X', 'y']);
  t.same([request.complete, request.rawTrailers], [true, ['X', 'y']]);
  request.flowTo(taker);
  request.pause();
  request.flowTo(taker);
  request.flowTo(new Taker());
  t.same(taker.events, ['a', 'end']);
});

t.test('the end comes behind all that waits', async (t) => {
  const { request, push } = create();
  push('a');
  request.finish([]);
  t.same([request.complete, request.hasKept], [true, true]);
  t.equal(request.isHeldUp, false, 'no more of it would have to wait');
  const taker = new Taker();
  request.flowTo(taker);
  t.same(taker.events, ['a', 'end']);
});

t.test('an end that comes while it is paused is told when it flows again', async (t) => {
  const { request } = create();
  const taker = new Taker();
  request.flowTo(taker);
  request.pause();
  request.finish([]);
  t.same(taker.events, []);
  request.flowTo(taker);
  t.same(taker.events, ['end']);
});

t.test('without a body the end is told at once, and once', async (t) => {
  const { request } = create(true);
  t.equal(request.complete, true);
  const taker = new Taker();
  request.flowTo(taker);
  request.pause();
  request.flowTo(taker);
  t.same(taker.events, ['end']);
});

t.test('who pauses within the end has nothing more read', async (t) => {
  const { request, connection } = create(true);
  request.flowTo(new Taker(() => request.pause()));
  t.equal(connection.readOns, 0);
});
