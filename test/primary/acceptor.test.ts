/** Connections and the workers they are handed to, with real sockets. */
import type { Socket } from 'node:net';
import t from 'tap';
import { Acceptor } from '../../lib/primary/acceptor.ts';
import { ConnectionCounts } from '../../lib/primary/connection-counts.ts';
import type { ConnectionTaker } from '../../lib/primary/connection-taker.ts';
import type { ConnectionLimits } from '../../lib/primary/gateway-settings.ts';
import { ChangeSignal } from '../helpers/change-signal.ts';
import { type ClientOptions, connect } from '../helpers/raw-client.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

/** A worker of the test: it has what it was given, and does with it what the test says. */
class Taker implements ConnectionTaker {
  readonly given: Socket[] = [];
  /** Which clients they were: a socket that was closed does not know any more. */
  readonly ports: (number | undefined)[] = [];
  reachable = true;
  readonly #changed = new ChangeSignal();

  probes = 0;

  probe(): void {
    this.probes += 1;
    this.#changed.notify();
  }

  give(socket: Socket): boolean {
    if (!this.reachable) return false;
    this.given.push(socket);
    this.ports.push(socket.remotePort);
    this.#changed.notify();
    return true;
  }

  async waitForProbe(): Promise<void> {
    await this.#changed.waitFor(
      () => (this.probes > 0 ? this.probes : undefined),
      10_000,
      () => 'no probe',
    );
  }

  async waitForSockets(count: number): Promise<readonly Socket[]> {
    return this.#changed.waitFor(
      () => (this.given.length >= count ? this.given : undefined),
      10_000,
      () => `${this.given.length} sockets instead of ${count}`,
    );
  }
}

async function openAcceptor(owner: TestOwner, limits: ConnectionLimits = { total: 0, perAddress: 0 }) {
  const counts = new ConnectionCounts(limits, []);
  const acceptor = new Acceptor(counts);
  const address = await acceptor.listen('127.0.0.1', 0);
  owner.teardown(async () => {
    acceptor.stop();
    await acceptor.settled(0);
  });
  const port = Number(address.split(':')[1]);
  const open = (options: ClientOptions = {}) => connect(port, { owner, ...options });
  /** A connection that has certainly arrived: a worker that is gone now had it. */
  const openWaiting = async () => {
    const gone = new Taker();
    acceptor.add(gone);
    const client = await open();
    await gone.waitForSockets(1);
    acceptor.onGone(gone);
    return client;
  };
  return { acceptor, counts, port, open, openWaiting };
}

/** Which client is at the other end. */
const portsOf = (sockets: readonly Socket[]) => sockets.map(({ remotePort }) => remotePort);

t.test('workers take turns, and get the next connection only when they have the one before', async (t) => {
  const { acceptor, open } = await openAcceptor(t);
  const [first, second] = [new Taker(), new Taker()];
  acceptor.add(first);
  acceptor.add(second);
  const clients = [await open(), await open(), await open()];
  const ports = clients.map(({ localPort }) => localPort);
  t.same(portsOf(await first.waitForSockets(1)), [ports[0]]);
  t.same(portsOf(await second.waitForSockets(1)), [ports[1]]);
  t.equal(first.given.length + second.given.length, 2, 'the third one waits');
  acceptor.onAccepted(second, true);
  await second.waitForSockets(2);
  t.same(second.ports, [ports[1], ports[2]]);
});

t.test('a socket that a worker had not accepted when it died goes to another one', async (t) => {
  const { acceptor, open } = await openAcceptor(t);
  const [dying, other] = [new Taker(), new Taker()];
  acceptor.add(dying);
  acceptor.add(other);
  const client = await open();
  await dying.waitForSockets(1);
  acceptor.onGone(dying);
  t.same(portsOf(await other.waitForSockets(1)), [client.localPort]);
  t.equal(client.connectionEnd, null);
});

t.test(
  'a socket that did not reach a worker goes to another, and the worker gets its turn again',
  async (t) => {
    const { acceptor, open } = await openAcceptor(t);
    const [full, other] = [new Taker(), new Taker()];
    acceptor.add(full);
    acceptor.add(other);
    const client = await open();
    await full.waitForSockets(1);
    acceptor.onMissed(full, true);
    t.same(portsOf(await other.waitForSockets(1)), [client.localPort]);
    const next = await open();
    await full.waitForSockets(2);
    t.equal(full.ports[1], next.localPort);
    t.equal(client.connectionEnd, null);
  },
);

t.test('a worker that does not take a socket in time is asked whether it has come', async (t) => {
  const { acceptor, open } = await openAcceptor(t);
  const slow = new Taker();
  acceptor.add(slow);
  await open();
  await slow.waitForProbe();
  t.equal(slow.given.length, 1, 'and is given nothing else meanwhile');
});

t.test('it waits for the next worker where there is no other', async (t) => {
  const { acceptor, open } = await openAcceptor(t);
  const dying = new Taker();
  acceptor.add(dying);
  const client = await open();
  await dying.waitForSockets(1);
  acceptor.onGone(dying);
  const next = new Taker();
  acceptor.add(next);
  t.same(portsOf(await next.waitForSockets(1)), [client.localPort]);
});

t.test('what a worker has accepted is its own: its death hands nothing on', async (t) => {
  const { acceptor, open } = await openAcceptor(t);
  const [dying, other] = [new Taker(), new Taker()];
  acceptor.add(dying);
  await open();
  const [socket] = await dying.waitForSockets(1);
  acceptor.onAccepted(dying, true);
  t.equal(socket?.destroyed, true, 'the handle of the primary is closed');
  acceptor.onGone(dying);
  acceptor.add(other);
  const next = await open();
  t.same(portsOf(await other.waitForSockets(1)), [next.localPort]);
});

t.test('a worker that cannot be reached is passed over', async (t) => {
  const { acceptor, open } = await openAcceptor(t);
  const [broken, other] = [new Taker(), new Taker()];
  broken.reachable = false;
  acceptor.add(broken);
  acceptor.add(other);
  const client = await open();
  t.same(portsOf(await other.waitForSockets(1)), [client.localPort]);
  t.equal(broken.given.length, 0);
});

t.test('a worker that leaves gets nothing more, also after it has accepted the last one', async (t) => {
  const { acceptor, open } = await openAcceptor(t);
  const [leaving, other] = [new Taker(), new Taker()];
  acceptor.add(leaving);
  await open();
  await leaving.waitForSockets(1);
  acceptor.remove(leaving);
  acceptor.onAccepted(leaving, false);
  const client = await open();
  acceptor.add(other);
  t.same(portsOf(await other.waitForSockets(1)), [client.localPort]);
  t.equal(leaving.given.length, 1);
});

t.test(
  'connections that come before the first worker are served in the order in which they came',
  async (t) => {
    const { acceptor, open } = await openAcceptor(t);
    const clients = [await open(), await open(), await open()];
    const taker = new Taker();
    acceptor.add(taker);
    for (const count of [1, 2, 3]) {
      await taker.waitForSockets(count);
      acceptor.onAccepted(taker, true);
    }
    t.same(
      portsOf(taker.given),
      clients.map(({ localPort }) => localPort),
    );
  },
);

t.test('a stopped acceptor refuses connections, and hands out those that wait', async (t) => {
  const { acceptor, port, openWaiting } = await openAcceptor(t);
  const waiting = await openWaiting();
  acceptor.stop();
  await t.rejects(connect(port), { code: 'ECONNREFUSED' });
  const taker = new Taker();
  acceptor.add(taker);
  t.same(portsOf(await taker.waitForSockets(1)), [waiting.localPort]);
});

t.test('connections that nobody takes are reset in the end, and counted', async (t) => {
  const { acceptor, openWaiting } = await openAcceptor(t);
  const client = await openWaiting();
  const settled = async () => {
    acceptor.stop();
    await acceptor.settled(0);
  };
  await Promise.all([client.waitForClose(), settled()]);
  t.equal(client.connectionEnd, 'reset');
  t.equal(acceptor.droppedCount, 1);
});

t.test('only so many connections wait; the others are reset', async (t) => {
  const { acceptor, open } = await openAcceptor(t);
  const limit = 1_024;
  const ends = new ChangeSignal();
  const ended: string[] = [];
  // The reset may come before the client knows that it was connected.
  const openUntilEnd = async () => {
    const end = await open().then(
      (client) => client.waitForClose(60_000),
      ({ code }: NodeJS.ErrnoException) => (code === 'ECONNRESET' ? 'reset' : String(code)),
    );
    ended.push(end);
    ends.notify();
  };
  for (let count = 0; count < limit + 6; count += 1) void openUntilEnd();
  await ends.waitFor(
    () => (ended.length >= 6 ? true : undefined),
    20_000,
    () => `${ended.length} connections were ended`,
  );
  t.equal(acceptor.droppedCount, 6);
  t.same(ended, new Array(6).fill('reset'));
});

t.test('connections that wait count too: one address does not take all the room for waiting', async (t) => {
  const { acceptor, counts, open } = await openAcceptor(t, { total: 6, perAddress: 3 });
  const resets = new ChangeSignal();
  let resetCount = 0;
  // The reset may come before the client knows that it was connected.
  const openUntilReset = async (localAddress: string) => {
    await open({ localAddress }).then(
      (client) => client.waitForClose(60_000),
      () => {},
    );
    resetCount += 1;
    resets.notify();
  };
  for (let count = 0; count < 20; count += 1) void openUntilReset('127.0.0.2');
  await resets.waitFor(
    () => (resetCount === 17 ? true : undefined),
    10_000,
    () => `${resetCount} connections were reset`,
  );
  t.same([counts.total, acceptor.refusedCount], [3, 17]);
  const others = [await open(), await open(), await open()];
  await openUntilReset('127.0.0.3');
  t.same([counts.total, others.map(({ connectionEnd }) => connectionEnd)], [6, [null, null, null]]);
  t.same([acceptor.refusedCount, acceptor.droppedCount], [18, 0]);
});

t.test('a connection counts once, wherever it is, and not at all in the end', async (t) => {
  const { acceptor, counts, open } = await openAcceptor(t);
  const [dying, full, other] = [new Taker(), new Taker(), new Taker()];
  acceptor.add(dying);
  await open();
  await dying.waitForSockets(1);
  t.equal(counts.total, 1, 'on its way');
  acceptor.onGone(dying);
  t.equal(counts.total, 1, 'waiting');
  acceptor.add(full);
  await full.waitForSockets(1);
  acceptor.onMissed(full, false);
  t.equal(counts.total, 1, 'waiting again');
  acceptor.add(other);
  await other.waitForSockets(1);
  acceptor.onAccepted(other, false);
  t.equal(counts.total, 1, 'with a worker');
  acceptor.onClosed(full, ['127.0.0.1']);
  t.equal(counts.total, 1, 'another worker cannot know of it');
  acceptor.onClosed(other, ['127.0.0.1']);
  t.equal(counts.total, 0);
});

t.test('connections that are dropped do not count', async (t) => {
  const { acceptor, counts, openWaiting } = await openAcceptor(t);
  await openWaiting();
  await openWaiting();
  t.equal(counts.total, 2);
  acceptor.stop();
  await acceptor.settled(0);
  t.same([counts.total, acceptor.droppedCount], [0, 2]);
});
