/** The heads that the gateway puts together itself say what Node's own would. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { ClientResponse } from '../../lib/proxy/client-response.ts';
import { connect, request } from '../helpers/raw-client.ts';
import { startResponseServer } from './response-server.ts';

const KEEP_ALIVE_MS = 7_500;

/** What is answered, and how. */
interface Answer {
  readonly status: number;
  /** Flat. */
  readonly headers: readonly string[];
  readonly framing: 'length' | 'chunked';
  /** Whether the connection ends with it. */
  readonly closes: boolean;
}

const BODY = 'the body';
/** The gateway adds it where it is missing. */
const REQUEST_ID = ['x-request-id', 'id'];

function fieldsOf({ headers, framing }: Answer): string[] {
  const length = framing === 'length' ? ['content-length', String(BODY.length)] : [];
  return [...headers, ...length, ...REQUEST_ID];
}

function write(response: ClientResponse, answer: Answer): void {
  response.writeHead(answer.status, 'As Said', fieldsOf(answer), 'id', null, null, answer.closes);
  response.writeData(Buffer.from(BODY), null);
  response.end();
}

/** A server that answers every request as `answer` says. */
async function startServer(t: Test, isGateway: boolean) {
  const state: { answer: Answer | null } = { answer: null };
  if (isGateway) {
    const port = await startResponseServer(t, KEEP_ALIVE_MS, (response) => write(response, state.answer!));
    return { state, port };
  }
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  server.on('request', (_, response) => {
    const answer = state.answer!;
    if (answer.closes) response.shouldKeepAlive = false;
    response.writeHead(answer.status, 'As Said', fieldsOf(answer));
    response.end(Buffer.from(BODY));
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
  const unsendable = [
    ['x-bad', 'a\r\nx-evil: b'],
    ['x-bad', 'a\u0000'],
    ['x-bad', '\u4e2d'],
    ['x bad', 'a'],
    ['', 'a'],
  ];
  for (const headers of unsendable) {
    const port = await startResponseServer(t, KEEP_ALIVE_MS, (response) => {
      const fields = ['x-good', 'a', ...headers, 'content-length', '0'];
      t.throws(() => response.writeHead(200, 'OK', fields, 'id', null, null, false), {
        code: 'ERR_INVALID_CHAR',
      });
      t.equal(response.begun, false);
      response.writeHead(204, 'Instead', [], 'id', null, null, true);
      response.end();
    });
    const answer = await request(port, VERSIONS['HTTP/1.1']);
    t.match(answer.startLine, '204 Instead', JSON.stringify(headers));
  }
});
