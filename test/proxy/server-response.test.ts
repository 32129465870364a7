/** The heads that the gateway puts together itself say what Node's own would. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { DEFAULT_LISTENER_LIMITS } from '../../lib/ipc/protocol.ts';
import { createHttpServer } from '../../lib/proxy/http-server.ts';
import type { GatewayResponse } from '../../lib/proxy/server-response.ts';
import { connect, request } from '../helpers/raw-client.ts';

const KEEP_ALIVE_MS = 7_500;

/** What is answered, and how. */
interface Answer {
  readonly status: number;
  /** Flat. */
  readonly headers: readonly string[];
  readonly framing: 'length' | 'chunked';
  /** Whether it is found out before the head that the connection ends with it. */
  readonly closes: boolean;
}

const BODY = 'the body';

function write(response: ServerResponse, { status, headers, framing, closes }: Answer): void {
  if (closes) response.shouldKeepAlive = false;
  const length = framing === 'length' ? ['content-length', String(BODY.length)] : [];
  response.writeHead(status, 'As Said', [...headers, ...length]);
  response.end(BODY);
}

/** A server that answers every request as `answer` says. */
async function startServer(t: Test, isGateway: boolean) {
  const state: { answer: Answer | null } = { answer: null };
  const server = isGateway
    ? createHttpServer(DEFAULT_LISTENER_LIMITS)
    : createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  server.on('request', (_, response) => {
    const answer = state.answer!;
    if (isGateway) {
      const own = response as GatewayResponse;
      own.framing = answer.framing;
      own.keepAliveMs = KEEP_ALIVE_MS;
    }
    write(response, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { state, port: (server.address() as AddressInfo).port };
}

type TestServer = Awaited<ReturnType<typeof startServer>>;

/**
 * What a client sees of the answer: fields in any order, names in lower case, without the time of day, and without
 * how long an idle connection is kept, which only some of the gateway's answers say.
 */
async function see({ state, port }: TestServer, answer: Answer, text: string) {
  state.answer = answer;
  const client = await connect(port);
  client.send(text);
  const response = await client.readResponse({ toHead: text.startsWith('HEAD') });
  // Behind it, to see whether the connection goes on; where it comes too late for that, it may be reset.
  client.send(text);
  const next = await Promise.race([
    client.waitForClose().then(() => 'ends'),
    client.waitForBytes('HTTP/1.1 ').then(() => 'goes on'),
  ]);
  client.close();
  const fields = response.headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  const dates = fields.filter(
    ([name, value]) => name === 'date' && Math.abs(Date.parse(value) - Date.now()) < 60_000,
  );
  const others = fields.filter(([name]) => name !== 'date').map(([name, value]) => `${name}: ${value}`);
  return {
    startLine: response.startLine,
    fields: others.sort(),
    dates: dates.length,
    text: response.text,
    next,
  };
}

const VERSIONS = {
  'HTTP/1.1': 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'HTTP/1.1 that closes': 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'HTTP/1.0': 'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
  'HTTP/1.0 that keeps': 'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
} as const;

t.test('the same answers look the same as from Node', async (t) => {
  const [node, gateway] = await Promise.all([startServer(t, false), startServer(t, true)]);
  const now = new Date().toUTCString();
  for (const [client, get] of Object.entries(VERSIONS)) {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const text = get.replace('GET', method);
      for (const framing of ['length', 'chunked'] as const) {
        for (const status of [200, 404, 205, 304]) {
          for (const [what, headers, closes] of [
            ['plain', [], false],
            [
              'with fields',
              ['x-a', '1', 'X-A', '2', 'set-cookie', 'a=1', 'set-cookie', 'b=2', 'x-bytes', '\u00e9'],
              false,
            ],
            ['with a date', ['Date', now], false],
            ['that says close', ['connection', 'close'], false],
            ['that closes', [], true],
          ] as const) {
            const answer = { status, headers, framing, closes };
            const name = `${client}: ${method}, ${framing}, ${status}, ${what}`;
            const [expected, seen] = [await see(node, answer, text), await see(gateway, answer, text)];
            t.same(seen, expected, name);
          }
        }
      }
    }
  }
});

t.test('how long an idle connection is kept is said behind `keep-alive` alone', async (t) => {
  const [node, gateway] = await Promise.all([startServer(t, false), startServer(t, true)]);
  const get = VERSIONS['HTTP/1.1'];
  for (const [closes, expected] of [
    [false, 'timeout=7'],
    [true, undefined],
  ] as const) {
    for (const { state, port } of [node, gateway]) {
      state.answer = { status: 200, headers: [], framing: 'length', closes };
      t.equal((await request(port, get)).header('keep-alive'), expected);
    }
  }
});

t.test('a field that cannot be sent throws, and nothing of the head is out', async (t) => {
  const server = createHttpServer(DEFAULT_LISTENER_LIMITS);
  const problems: unknown[] = [];
  const unsendable = [
    ['x-bad', 'a\r\nx-evil: b'],
    ['x-bad', 'a\u0000'],
    ['x-bad', '\u4e2d'],
    ['x bad', 'a'],
    ['', 'a'],
  ];
  for (const headers of unsendable) {
    server.removeAllListeners('request');
    server.on('request', (_, response) => {
      response.framing = 'length';
      try {
        response.writeHead(200, 'OK', ['x-good', 'a', ...headers, 'content-length', '0']);
      } catch (error) {
        problems.push((error as NodeJS.ErrnoException).code);
      }
      t.equal(response.headersSent, false);
      response.destroy();
    });
    if (!server.listening) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    const client = await connect((server.address() as AddressInfo).port);
    client.send(VERSIONS['HTTP/1.1']);
    await client.waitForClose();
    t.equal(client.unread.length, 0, JSON.stringify(headers));
  }
  t.same(
    problems,
    unsendable.map(() => 'ERR_INVALID_CHAR'),
  );
  server.close();
});
