/** Requests that are given up, at each step of their way: nothing is left of them, and the next one goes on. */
import t, { type Test } from 'tap';
import type { ResolveAll } from '../../../lib/net/guarded-lookup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type OriginHandler, type ScriptedOrigin, startOrigin } from '../../helpers/scripted-origin.ts';
import { answerOk } from '../proxied-origin.ts';
import {
  activeResources,
  createUpstream,
  HeldBody,
  outcomeOf,
  type SentRequest,
  send,
  settle,
  type UpstreamSettings,
} from './upstream-client.ts';

const MEGABYTE = Buffer.alloc(1_048_576);

/** An origin whose first request gets `first`, and the others an answer. */
async function startAnswering(t: Test, first: OriginHandler): Promise<ScriptedOrigin> {
  return startOrigin(
    (request, connection) => {
      if (request.target === '/first') first(request, connection);
      else answerOk(request, connection);
    },
    { owner: t },
  );
}

interface AbortPlan extends UpstreamSettings {
  readonly origin: ScriptedOrigin;
  /** The first request, which is given up. */
  readonly body?: HeldBody;
  readonly expectContinue?: boolean;
  /** Resolves when it is where it is to be given up. */
  readonly arrives: (first: SentRequest) => unknown;
  /** Called when it has been given up. */
  readonly release?: () => void;
}

/** Sends two requests over an upstream with one connection, gives the first one up, and looks what is left. */
async function abortFirst(t: Test, plan: AbortPlan): Promise<void> {
  const { origin, body, expectContinue = false, arrives, release, ...settings } = plan;
  const upstream = createUpstream(t, origin.url.replace('127.0.0.1', 'localhost'), {
    maxConnections: 1,
    resolve: (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    ...settings,
  });
  const first = send(upstream, '/first', { method: 'PUT', body: body ?? null, expectContinue });
  const second = send(upstream, '/second');
  await arrives(first);
  const told = first.told.length;
  first.exchange.abort();
  first.exchange.abort();
  release?.();
  t.equal(await outcomeOf(second), '200 ok', 'the next one goes on');
  t.equal(first.told.length, told, 'and nothing more is told of the first');
  await upstream.close();
  await origin.waitForConnections(0);
  await settle();
  t.same(origin.malformed, []);
}

t.test('while it waits for a connection', async (t) => {
  const held = Promise.withResolvers<() => void>();
  const origin = await startAnswering(t, (_, connection) =>
    held.resolve(() => connection.answer({ body: 'ok' })),
  );
  const upstream = createUpstream(t, origin.url, { maxConnections: 1 });
  const first = send(upstream, '/first');
  const [second, third] = [send(upstream, '/second'), send(upstream, '/third')];
  second.exchange.abort();
  (await held.promise)();
  t.same([await outcomeOf(first), await outcomeOf(third)], ['200 ok', '200 ok']);
  t.same(
    origin.requests.map(({ target }) => target),
    ['/first', '/third'],
  );
  t.same(second.told, []);
  await upstream.close();
  await settle();
});

t.test('while its name is looked up', async (t) => {
  const asked = Promise.withResolvers<void>();
  let count = 0;
  const resolve: ResolveAll = (_host, _options, callback) => {
    count += 1;
    if (count > 1) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    asked.resolve();
  };
  const origin = await startAnswering(t, () => {});
  await abortFirst(t, { origin, resolve, arrives: () => asked.promise });
  t.equal(origin.acceptedConnections, 1);
});

t.test('while the connection is being made', async (t) => {
  const origin = await startAnswering(t, () => {});
  await abortFirst(t, { origin, arrives: () => {} });
  t.same(
    origin.requests.map(({ target }) => target),
    ['/second'],
  );
});

t.test('while it is sent', async (t) => {
  const body = new HeldBody(Array.from({ length: 20 }, () => MEGABYTE));
  let release = () => {};
  const origin = await startAnswering(t, (_, connection) => {
    connection.stopReading();
    release = () => connection.resumeReading();
  });
  await abortFirst(t, {
    origin,
    body,
    arrives: () => origin.waitForRequests(1),
    release: () => release(),
  });
  t.ok(body.isDetached);
  t.ok(body.givenBytes < 20 * MEGABYTE.length, 'it was in the midst of it');
});

t.test('while the origin is to say whether it wants the body', async (t) => {
  const body = new HeldBody(['body']);
  const origin = await startAnswering(t, () => {});
  const timers = () => activeResources().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const upstream = createUpstream(t, origin.url);
  const first = send(upstream, '/first', { method: 'PUT', body, expectContinue: true });
  await origin.waitForRequests(1);
  await eventually(() => {
    if (timers() !== before + 1) throw new Error('other timers are running');
  });
  const waiting = timers();
  first.exchange.abort();
  t.equal(timers(), waiting - 1, 'nobody waits for its answer any more');
  await origin.waitForConnections(0);
  t.equal(body.opened, 0);
});

t.test('while its answer is awaited', async (t) => {
  const origin = await startAnswering(t, () => {});
  await abortFirst(t, { origin, arrives: () => origin.waitForRequests(1) });
});

t.test('while its answer is read', async (t) => {
  const origin = await startAnswering(t, (_, connection) =>
    connection.answerWithLength(100, { body: 'part' }),
  );
  await abortFirst(t, { origin, arrives: (first) => first.firstData });
});

t.test('while its answer waits to be read', async (t) => {
  const origin = await startAnswering(t, (_, connection) =>
    connection.answer({ body: Buffer.concat(Array.from({ length: 20 }, () => MEGABYTE)) }),
  );
  const arrives = async (first: SentRequest) => {
    first.takesMore = () => false;
    await first.firstData;
  };
  await abortFirst(t, { origin, arrives });
});

t.test('in the midst of a piece of its answer', async (t) => {
  for (const answer of [
    'HTTP/1.1 103 Early\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n',
  ]) {
    for (const step of ['onInformation', 'onHead', 'onData'] as const) {
      const origin = await startAnswering(t, (_, connection) => connection.write(answer));
      const upstream = createUpstream(t, origin.url, { maxConnections: 1 });
      const first = send(upstream, '/first');
      const told = first[step].bind(first) as (...facts: unknown[]) => boolean | undefined;
      let isAborted = false;
      first[step] = ((...facts: unknown[]) => {
        const result = told(...facts);
        first.exchange.abort();
        isAborted = true;
        return result;
      }) as never;
      const second = send(upstream, '/second');
      if (!answer.includes(' 103 ')) {
        t.equal(await outcomeOf(second), '200 ok');
        t.equal(first.told.includes('end'), !isAborted, `${step}: ${JSON.stringify(answer)}`);
      } else if (step === 'onInformation') {
        t.equal(await outcomeOf(second), '200 ok');
        t.same(first.told, ['sent', 103]);
      }
      await origin.close();
    }
  }
});
