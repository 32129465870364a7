/** Server-sent events. */
import t from 'tap';
import type { ControlEvent } from '../../lib/admin/control-plane.ts';
import { createToken, revokeToken } from '../../lib/auth/token-file.ts';
import { connect, formatRequest, type RawClient } from '../helpers/raw-client.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { formatCall, type StartedAdmin, startAdmin } from './started-admin.ts';

const CHANGE: ControlEvent = {
  type: 'change',
  revision: 8,
  id: 'id-8',
  at: '2026-03-01T12:00:00.000Z',
  operations: 2,
};
const LONG = 1_000_000;

async function openStream(
  owner: TestOwner,
  admin: StartedAdmin,
  token: string = admin.tokens.reader,
): Promise<RawClient> {
  const client = await connect(admin.port, { owner });
  client.send(formatRequest('GET', '/api/gateway/events', { Authorization: `Bearer ${token}` }));
  const head = await client.readHead();
  if (head.status === 200) await client.readBodyUntil('event: hello');
  return client;
}

/** The events of a stream so far, but not those that are still on their way. */
function parseEvents(body: string): { event: string; data: Record<string, unknown> }[] {
  const blocks = body.split('\n\n').slice(0, -1);
  return blocks
    .filter((block) => !block.startsWith(':'))
    .map((block) => {
      const fields = new Map(
        block
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      return {
        event: fields.get('event') ?? '',
        data: JSON.parse(fields.get('data') ?? 'null') as Record<string, unknown>,
      };
    });
}

t.test('a stream says hello with the status, then what happens', async (t) => {
  const admin = await startAdmin(t);
  const client = await connect(admin.port, { owner: t });
  client.send(formatCall(admin.tokens, 'GET', '/api/gateway/events', { as: 'reader' }));
  const head = await client.readHead();
  t.same(
    [head.status, head.header('content-type'), head.header('cache-control')],
    [200, 'text/event-stream', 'no-store'],
  );
  t.match(head.header('x-request-id'), /^[0-9a-f-]{36}$/);
  await client.readBodyUntil('event: hello');
  admin.controlPlane.emit(CHANGE);
  admin.controlPlane.emit({ type: 'store', reachable: false, problem: 'two\nlines' });
  const body = await client.readBodyUntil('two\\nlines"}\n\n');
  const { type: _, ...data } = CHANGE;
  const [hello, ...others] = parseEvents(body);
  t.same([hello?.event, hello?.data], ['hello', admin.controlPlane.status()]);
  t.same(others, [
    { event: 'change', data },
    { event: 'store', data: { reachable: false, problem: 'two\nlines' } },
  ]);
  t.notMatch(body, /^id:/m, 'there is nothing to resume from, and no id says that there is');
});

t.test('all streams share one subscription, and the last one ends it', async (t) => {
  const admin = await startAdmin(t);
  t.equal(admin.controlPlane.subscriptions, 0);
  const first = await openStream(t, admin);
  const second = await openStream(t, admin);
  t.equal(admin.controlPlane.subscriptions, 1);
  first.close();
  admin.controlPlane.emit(CHANGE);
  await second.readBodyUntil('event: change');
  second.close();
  while (admin.controlPlane.subscriptions > 0) await admin.call('GET', 'status');
  const third = await openStream(t, admin);
  admin.controlPlane.emit(CHANGE);
  await third.readBodyUntil('event: change');
  t.equal(admin.controlPlane.subscriptions, 1, 'and the next one begins another');
});

t.test('a heartbeat shows that the stream lives', async (t) => {
  const admin = await startAdmin(t, { streamTiming: { heartbeatMs: 10, recheckMs: LONG } });
  const client = await openStream(t, admin);
  t.match(await client.readBodyUntil('\n\n:\n\n:\n\n'), /:\n\n/);
});

t.test('a stream ends when its token is revoked, and the others go on', async (t) => {
  const admin = await startAdmin(t, { streamTiming: { heartbeatMs: LONG, recheckMs: 20 } });
  const client = await openStream(t, admin);
  const other = await connect(admin.port, { owner: t });
  other.send(formatCall(admin.tokens, 'GET', '/api/gateway/events', { as: 'admin' }));
  await other.readHead();
  await revokeToken(admin.stateDirectory, 'reader-token');
  t.equal((await client.readResponse()).ended, 'complete');
  admin.controlPlane.emit(CHANGE);
  await other.readBodyUntil('event: change');
});

t.test('nobody has more than 10 streams, and what others have does not count', async (t) => {
  const admin = await startAdmin(t);
  await Promise.all(Array.from({ length: 10 }, () => openStream(t, admin)));
  const refused = await admin.call('GET', 'events', { as: 'reader' });
  t.same([refused.status, JSON.parse(refused.text).code], [503, 'GW_ERR_TOO_MANY_STREAMS']);
  t.match(JSON.parse(refused.text).detail, /10 streams of reader-token/);
  await openStream(t, admin, admin.tokens.admin);
});

t.test('there are at most 100 streams', async (t) => {
  const admin = await startAdmin(t);
  const tokens: string[] = [];
  for (let count = 0; count < 10; count += 1) {
    const order = { name: `looker-${count}`, role: 'reader', now: new Date(), expiresAt: null } as const;
    tokens.push((await createToken(admin.stateDirectory, order)).token);
  }
  const clients = await Promise.all(
    Array.from({ length: 100 }, (_, index) => openStream(t, admin, tokens[index % 10])),
  );
  const refused = await admin.call('GET', 'events');
  t.same([refused.status, JSON.parse(refused.text).code], [503, 'GW_ERR_TOO_MANY_STREAMS']);
  clients[0]?.close();
  let client = await openStream(t, admin);
  while (admin.controlPlane.subscriptions === 1) {
    admin.controlPlane.emit(CHANGE);
    if ((await client.readHead()).status === 200) break;
    client = await openStream(t, admin);
  }
  t.equal((await client.readHead()).status, 200, 'one that went makes room');
});

t.test('a client that does not read is dropped, and costs the others nothing', async (t) => {
  const admin = await startAdmin(t);
  const idle = await openStream(t, admin);
  idle.stopReading();
  const awake = await openStream(t, admin);
  const problems = [{ pointer: '/x', message: 'x'.repeat(100_000) }];
  let sent = 0;
  while (!admin.logs.some(({ msg }) => msg === 'an event stream was dropped: its client does not read')) {
    sent += 1;
    admin.controlPlane.emit({ type: 'refused', revision: sent, problems });
    await awake.readBodyUntil(`"revision":${sent},`);
  }
  idle.resumeReading();
  await idle.waitForClose();
  admin.controlPlane.emit(CHANGE);
  await awake.readBodyUntil('event: change');
  t.ok(sent * 100_000 > 1_048_576);
});

t.test('closing is prompt with streams open, read or not', async (t) => {
  const admin = await startAdmin(t);
  const reading = await openStream(t, admin);
  const idle = await openStream(t, admin);
  idle.stopReading();
  const problems = [{ pointer: '/x', message: 'x'.repeat(900_000) }];
  admin.controlPlane.emit({ type: 'refused', revision: 1, problems });
  const startMs = performance.now();
  await admin.server.close();
  t.ok(performance.now() - startMs < 900, 'the time that requests get to end is not used up');
  t.equal((await reading.readResponse()).status, 200);
  t.equal(admin.controlPlane.subscriptions, 0);
});

t.test(
  'closing gives a write that is under way a moment, and one that hangs no more than that',
  async (t) => {
    const admin = await startAdmin(t);
    const held = Promise.withResolvers<void>();
    admin.controlPlane.hold = held.promise;
    const clients = [await connect(admin.port, { owner: t }), await connect(admin.port, { owner: t })];
    const [, silent] = clients;
    silent?.send('PUT /api/gateway/config HTTP/1.1\r\nHost: a\r\n');
    clients[0]?.send(formatCall(admin.tokens, 'PUT', '/api/gateway/config', { body: {} }));
    await orderArrived(admin);
    const closed = admin.server.close();
    held.resolve();
    t.equal((await clients[0]?.readResponse())?.status, 200);
    await closed;
  },
);

async function orderArrived({ controlPlane }: StartedAdmin): Promise<void> {
  const arrived = Promise.withResolvers<void>();
  controlPlane.beforeWrite = () => arrived.resolve();
  await arrived.promise;
}
