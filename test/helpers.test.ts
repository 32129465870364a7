/** The origin and the raw client against each other: each misbehaviour is really what it says. */
import { connect as connectTcp } from 'node:net';
import t from 'tap';
import { createCertificate } from './helpers/certificate.ts';
import { ChangeSignal } from './helpers/change-signal.ts';
import { holdDeadPort } from './helpers/dead-port.ts';
import { findFreePort } from './helpers/free-port.ts';
import { LineSplitter } from './helpers/line-splitter.ts';
import type { OriginConnection } from './helpers/origin-connection.ts';
import type { OriginRequest } from './helpers/origin-request.ts';
import { parseMetrics } from './helpers/prometheus-text.ts';
import { connect, formatRequest, request } from './helpers/raw-client.ts';
import { type OriginHandler, type OriginOptions, startOrigin } from './helpers/scripted-origin.ts';
import type { TestOwner } from './helpers/test-owner.ts';

const GET = 'GET / HTTP/1.1\r\nHost: origin\r\n\r\n';

/** An origin and a client connected to it, both closed with the test. */
async function startPair(owner: TestOwner, handler: OriginHandler, options: OriginOptions = {}) {
  const origin = await startOrigin(handler, { owner, ...options });
  const client = await connect(origin.port, { owner });
  return { origin, client };
}

const answerOk = (_: OriginRequest, connection: OriginConnection) => connection.answer({ body: 'ok' });

t.test('the origin records a request byte by byte, and the client its response', async (t) => {
  const { origin, client } = await startPair(t, (_, connection) => {
    connection.answer({
      status: 201,
      reason: 'Made it',
      headers: [
        ['X-A', '1'],
        ['x-a', '2'],
      ],
      body: 'caf\u00e9',
    });
  });
  const head = 'POST /a?b=%zz HTTP/1.1\r\nHost:origin\r\nX-Odd:  two  words \t\r\nContent-Length: 3\r\n\r\n';
  const arrived = origin.requestArrived();
  client.send(`${head}a\u0000b`);
  const response = await client.readResponse();
  t.same(
    [response.status, response.reason, response.ended, response.text],
    [201, 'Made it', 'complete', 'caf\u00e9'],
  );
  t.same(response.headers, [
    ['X-A', '1'],
    ['x-a', '2'],
    ['Content-Length', '5'],
  ]);
  t.equal(response.header('X-a'), '1, 2');
  t.same(response.headerValues('x-A'), ['1', '2']);
  t.equal(response.header('missing'), undefined);
  const recorded = await arrived;
  t.equal(recorded, origin.requests[0]);
  t.equal(recorded.headBytes.toString('latin1'), head);
  t.equal(recorded.bodyBytes.toString('latin1'), 'a\u0000b');
  t.same([recorded.method, recorded.target, recorded.connectionNumber], ['POST', '/a?b=%zz', 1]);
  t.equal(recorded.header('x-odd'), 'two  words');
  t.equal(await recorded.ended, 'complete');
});

t.test('a connection carries one request after the other, pipelined or not', async (t) => {
  const { origin, client } = await startPair(t, (request, connection) =>
    connection.answer({ body: request.target }),
  );
  client.send(formatRequest('GET', '/1'));
  t.equal((await client.readResponse()).text, '/1');
  client.send(formatRequest('POST', '/2', {}, 'body') + formatRequest('GET', '/3'));
  t.equal((await client.readResponse()).text, '/2');
  t.equal((await client.readResponse()).text, '/3');
  t.same([origin.acceptedConnections, origin.connections, origin.requests.length], [1, 1, 3]);
  client.send(formatRequest('GET', '/4', { Connection: 'close' }));
  t.equal((await client.readResponse()).text, '/4');
  t.equal(await client.waitForClose(), 'closed');
  await origin.waitForConnections(0);
});

t.test('chunked bodies and trailers arrive in both directions, in whatever pieces', async (t) => {
  const { origin, client } = await startPair(t, (_, connection) => {
    connection.answerChunked({ chunks: ['first ', 'second'], trailers: [['X-Sum', '7']] });
  });
  const head = 'POST / HTTP/1.1\r\nHost: origin\r\nTransfer-Encoding: chunked\r\n\r\n';
  const body = '3;note=x\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-End: yes\r\n\r\n';
  for (const byte of head + body) client.send(byte);
  const response = await client.readResponse();
  t.same([response.text, response.trailers, response.ended], ['first second', [['X-Sum', '7']], 'complete']);
  t.equal(response.bodyBytes.toString(), '6\r\nfirst \r\n6\r\nsecond\r\n0\r\nX-Sum: 7\r\n\r\n');
  const [recorded] = await origin.waitForRequests(1);
  t.equal(await recorded?.ended, 'complete');
  t.equal(recorded?.text, 'abc0123456789');
  t.equal(recorded?.bodyBytes.toString(), body);
  t.same(recorded?.trailers, [['X-End', 'yes']]);
});

t.test('a handler sees the head before the body has come', async (t) => {
  const { client } = await startPair(t, (_, connection) => connection.inform(100));
  client.send('PUT / HTTP/1.1\r\nHost: origin\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  const interim = await client.waitForBytes('\r\n\r\n');
  t.equal(interim.toString(), 'HTTP/1.1 100 Scripted\r\n\r\n');
});

t.test('interim responses come before the final one', async (t) => {
  const { client } = await startPair(t, (_, connection) => {
    connection.inform(103, { Link: '</a>' });
    connection.inform(103, { Link: '</b>' });
    connection.answer({ body: 'final' });
  });
  client.send(GET);
  const response = await client.readResponse();
  t.same(
    response.informational.map((interim) => [interim.status, interim.header('link')]),
    [
      [103, '</a>'],
      [103, '</b>'],
    ],
  );
  t.same([response.status, response.text], [200, 'final']);
});

t.test('an answer without body has none', async (t) => {
  const { client } = await startPair(t, (request, connection) => {
    connection.answer({ status: Number(request.target.slice(1)), body: 'body' });
  });
  client.send(formatRequest('HEAD', '/200'));
  const toHead = await client.readResponse({ toHead: true });
  t.same([toHead.header('content-length'), toHead.text, toHead.ended], ['4', '', 'complete']);
  for (const status of [204, 304, 200]) {
    client.send(formatRequest('GET', `/${status}`));
    const response = await client.readResponse();
    const expected = status === 200 ? ['4', 'body'] : [undefined, ''];
    t.same([response.status, response.header('content-length'), response.text], [status, ...expected]);
  }
});

t.test('a hanging origin takes the request and says nothing', async (t) => {
  const { origin, client } = await startPair(t, () => {});
  client.send(GET);
  await origin.waitForRequests(1);
  await t.rejects(
    client.readResponse({ limitMs: 30 }),
    /after 30 ms: no whole response: connection open, 0 bytes/,
  );
  t.equal(client.connectionEnd, null);
});

t.test('a reset is seen as a reset, before and within a response', async (t) => {
  const { origin, client } = await startPair(t, (_, connection) => connection.reset());
  client.send(GET);
  await t.rejects(client.readResponse(), /no whole response: connection reset, 0 bytes received/);
  t.equal(await client.waitForClose(), 'reset');
  origin.handler = (_, connection) => connection.breakOff('reset', 10, { body: 'half' });
  const response = await request(origin.port, GET);
  t.same([response.status, response.text, response.ended], [200, 'half', 'reset']);
});

t.test('a FIN is seen as a close, before and within a response', async (t) => {
  const { origin, client } = await startPair(t, (_, connection) => connection.close());
  client.send(GET);
  await t.rejects(client.readResponse(), /no whole response: connection closed, 0 bytes received/);
  t.equal(await client.waitForClose(), 'closed');
  origin.handler = (_, connection) => connection.breakOff('closed', 10, { body: 'half' });
  const response = await request(origin.port, GET);
  t.same([response.text, response.ended], ['half', 'closed early']);
  origin.handler = (_, connection) => {
    connection.write('HTTP/1.1 200 OK\r\nContent-Le');
    connection.close();
  };
  await t.rejects(
    request(origin.port, GET),
    /connection closed, 27 bytes received: "HTTP\/1.1 200 OK\\r\\nContent-Le"/,
  );
});

t.test('a chunked body can break off', async (t) => {
  const origin = await startOrigin(
    (_, connection) => {
      connection.beginChunked();
      connection.writeChunk('one');
      connection.reset();
    },
    { owner: t },
  );
  const response = await request(origin.port, GET);
  t.same([response.text, response.ended], ['one', 'reset']);
});

t.test('a body until close is whole with a FIN and broken with a reset', async (t) => {
  const origin = await startOrigin((_, connection) => connection.answerUntilClose({ body: 'all' }), {
    owner: t,
  });
  const whole = await request(origin.port, GET);
  t.same([whole.text, whole.ended], ['all', 'complete']);
  origin.handler = (_, connection) => {
    connection.write('HTTP/1.1 200 OK\r\n\r\npart');
    connection.reset();
  };
  const broken = await request(origin.port, GET);
  t.same([broken.text, broken.ended], ['part', 'reset']);
});

t.test('a wrong length leaves the connection open: too few bytes hang, too many are left over', async (t) => {
  const { origin, client } = await startPair(t, (_, connection) =>
    connection.answerWithLength(5, { body: 'abc' }),
  );
  client.send(GET);
  const response = await client.readHead();
  t.equal(await client.readBodyUntil('abc'), 'abc');
  t.equal(response.ended, 'pending');
  await t.rejects(
    client.readResponse({ limitMs: 30 }),
    /no whole response: connection open, .*\\r\\n\\r\\nabc"/,
  );
  origin.handler = (_, connection) => connection.answerWithLength(2, { body: 'abc' });
  const other = await connect(origin.port, { owner: t });
  other.send(GET);
  t.equal((await other.readResponse()).text, 'ab');
  t.equal(other.unread.toString(), 'c');
});

t.test('bytes after a response come with it', async (t) => {
  const { client } = await startPair(t, (_, connection) => {
    connection.answerWithSurplus({ body: 'ok' }, 'HTTP/1.1 200 Smuggled\r\nContent-Length: 0\r\n\r\n');
  });
  client.send(GET);
  t.equal((await client.readResponse()).text, 'ok');
  t.match(client.unread.toString(), /^HTTP\/1.1 200 Smuggled/);
  t.equal((await client.readResponse()).reason, 'Smuggled', 'as a careless client would take it');
});

t.test('a slow head comes piece by piece', async (t) => {
  const text = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const { client } = await startPair(t, (_, connection) => connection.drip(text, 1, 8));
  client.send(GET);
  const partial = await client.waitForBytes('HTTP');
  t.notOk(partial.includes('\r\n\r\n'), `${partial.length} bytes at first`);
  t.equal((await client.readResponse()).text, 'ok');
});

t.test('an origin that does not read holds the client up, until it reads again', async (t) => {
  let held: OriginConnection | undefined;
  const { origin, client } = await startPair(t, answerOk, {
    onConnection: (connection) => {
      held = connection;
      connection.stopReading();
    },
  });
  const body = Buffer.alloc(32 * 1_048_576, 'x');
  client.send(`POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: ${body.length}\r\n\r\n`);
  client.send(body);
  await t.rejects(origin.requestArrived(50), /after 50 ms: no request after the first 0/);
  t.ok(client.unsentBytes > 1_048_576, `${client.unsentBytes} bytes wait`);
  held?.resumeReading();
  t.equal((await client.readResponse()).text, 'ok');
  t.equal(await origin.requests[0]?.ended, 'complete');
  t.equal(origin.requests[0]?.body.length, body.length);
});

t.test('a client that does not read holds the origin up, until it reads again', async (t) => {
  const body = Buffer.alloc(32 * 1_048_576, 'x');
  const { promise: sending, resolve: beginSending } = Promise.withResolvers<OriginConnection>();
  const { client } = await startPair(t, (_, connection) => {
    connection.answer({ body });
    beginSending(connection);
  });
  client.stopReading();
  client.send(GET);
  const connection = await sending;
  t.ok(connection.unsentBytes > 1_048_576, `${connection.unsentBytes} bytes wait`);
  client.resumeReading();
  t.equal((await client.readResponse()).body.length, body.length);
  await connection.flushed();
  t.equal(connection.unsentBytes, 0);
});

t.test('the origin tells how a client went away', async (t) => {
  const origin = await startOrigin(() => {}, { owner: t });
  const text = 'POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: 10\r\n\r\nhalf';
  for (const [leave, end] of [
    ['reset', 'reset'],
    ['end', 'closed early'],
    ['close', 'closed early'],
  ] as const) {
    const client = await connect(origin.port, { owner: t });
    const arrived = origin.requestArrived();
    client.send(text);
    const recorded = await arrived;
    client[leave]();
    t.equal(await recorded.ended, end, leave);
    await origin.waitForConnections(0);
  }
});

t.test('another protocol takes over the connection after a 101', async (t) => {
  const { client } = await startPair(t, (_, connection) => {
    const socket = connection.switchProtocols({ Upgrade: 'echo', Connection: 'Upgrade' });
    socket.pipe(socket);
  });
  client.send(`${formatRequest('GET', '/', { Connection: 'Upgrade', Upgrade: 'echo' })}early `);
  const response = await client.readResponse();
  t.same([response.status, response.header('upgrade')], [101, 'echo']);
  await client.waitForBytes('early ');
  client.send('late');
  t.equal((await client.waitForBytes('late')).toString(), 'early late');
});

t.test('the origin refuses and notes what a strict server must not take', async (t) => {
  const origin = await startOrigin(answerOk, { owner: t });
  const malformed = [
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
    'GET / HTTP/1.1\nHost: a\n\n',
    'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET / HTTP/2.0\r\nHost: a\r\n\r\n',
    'GET /\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\u0000\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\nab',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc',
  ];
  for (const text of malformed) {
    const response = await request(origin.port, text);
    t.equal(response.status, 400, JSON.stringify(text));
  }
  t.equal(origin.malformed.length, malformed.length);
  t.equal(origin.requests.length, 0);
  t.match(origin.malformed[0], { connectionNumber: 1, problem: '0 Host fields' });
});

t.test('the client refuses a malformed response and shows it', async (t) => {
  const origin = await startOrigin(() => {}, { owner: t });
  const malformed = [
    'HTTP/1.1 200\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n',
  ];
  for (const text of malformed) {
    origin.handler = (_, connection) => connection.write(text);
    await t.rejects(
      request(origin.port, GET),
      /^malformed response, .*bytes received: /,
      JSON.stringify(text),
    );
  }
});

t.test('a response that came before anyone waited is read all the same, and so is its end', async (t) => {
  const { client } = await startPair(t, (_, connection) =>
    connection.breakOff('closed', 9, { body: 'half' }),
  );
  client.send(GET);
  t.equal(await client.waitForClose(), 'closed');
  const response = await client.readResponse();
  t.same([response.text, response.ended], ['half', 'closed early']);
});

t.test('a wait for requests, connections or a close tells what there was instead', async (t) => {
  const { origin, client } = await startPair(t, () => {});
  await t.rejects(origin.waitForRequests(2, 10), /0 requests instead of 2/);
  await t.rejects(origin.waitForConnections(3, 10), /1 open connections instead of 3/);
  await t.rejects(client.waitForClose(10), /still open: connection open/);
  await t.rejects(client.waitForBytes('x', 10), /no "x": connection open/);
  await t.rejects(client.readBodyUntil('x', 10), /no "x" in the body/);
});

t.test('closing the origin ends its connections', async (t) => {
  const { origin, client } = await startPair(t, () => {});
  await origin.waitForConnections(1);
  await origin.close();
  await client.waitForClose();
  await t.rejects(connect(origin.port, { owner: t }));
});

t.test('origin and client speak TLS, and misbehave over it too', async (t) => {
  const certificate = await createCertificate(t);
  const origin = await startOrigin(answerOk, {
    owner: t,
    tls: { key: certificate.key, cert: certificate.cert },
  });
  t.match(origin.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  const tls = { ca: certificate.ca, servername: 'localhost' };
  t.equal((await request(origin.port, GET, { tls })).text, 'ok');
  await t.rejects(connect(origin.port, { tls: { servername: 'localhost' } }), /certificate/);
  await t.rejects(connect(origin.port, { tls: { ...tls, servername: 'other.example' } }), /Hostname/);
  origin.handler = (_, connection) => connection.breakOff('closed', 9, { body: 'half' });
  t.equal((await request(origin.port, GET, { tls })).ended, 'closed early');
  origin.handler = (_, connection) => connection.breakOff('reset', 9, { body: 'half' });
  t.equal((await request(origin.port, GET, { tls })).ended, 'reset');
});

t.test('a free port is free', async (t) => {
  const port = await findFreePort();
  const origin = await startOrigin(answerOk, { owner: t, port });
  t.equal(origin.port, port);
  t.equal((await request(port, GET)).text, 'ok');
});

t.test('a dead port is taken, and refuses connections', async (t) => {
  const port = await holdDeadPort(t);
  await t.rejects(connect(port), { code: 'ECONNREFUSED' });
  await t.rejects(startOrigin(answerOk, { owner: t, port }), { code: 'EADDRINUSE' });
});

t.test('a client without HTTP does not trouble the origin', async (t) => {
  const origin = await startOrigin(answerOk, { owner: t });
  const socket = connectTcp(origin.port, '127.0.0.1');
  await origin.waitForConnections(1);
  socket.destroy();
  await origin.waitForConnections(0);
  t.same([origin.requests.length, origin.malformed.length], [0, 0]);
});

t.test('metrics are read whatever the order of their labels', async (t) => {
  const text = [
    '# HELP requests_total Requests, by route',
    '# TYPE requests_total counter',
    'requests_total{route="b",method="GET"} 3',
    'requests_total{method="GET",route="a \\"}\\" \\\\ , b=\\n"} 4.5e3 1700000000000',
    'latency_bucket{le="+Inf"} +Inf',
    'up 1',
    'empty{} NaN',
    '',
  ].join('\n');
  t.same(
    [...parseMetrics(text)],
    [
      ['requests_total{method="GET",route="b"}', 3],
      ['requests_total{method="GET",route="a \\"}\\" \\\\ , b=\\n"}', 4_500],
      ['latency_bucket{le="+Inf"}', Number.POSITIVE_INFINITY],
      ['up', 1],
      ['empty', Number.NaN],
    ],
  );
  t.throws(() => parseMetrics('no sample'), /not a Prometheus sample: "no sample"/);
});

t.test('lines are put together from pieces', async (t) => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const piece of ['{"a":', '1}\n{"b"', ':2}\n\n', 'rest', '\n', 'unfinished']) splitter.add(piece);
  t.same(lines, ['{"a":1}', '{"b":2}', 'rest']);
});

t.test('a wait ends with what is found, thrown or at its limit', async (t) => {
  const signal = new ChangeSignal();
  let value: number | undefined;
  const wait = signal.waitFor(
    () => value,
    1_000,
    () => 'never',
  );
  value = 7;
  signal.notify();
  t.equal(await wait, 7);
  t.equal(
    await signal.waitFor(
      () => value,
      1_000,
      () => 'never',
    ),
    7,
    'at once where it is there',
  );
  let fails = false;
  const failing = signal.waitFor(
    () => {
      if (fails) throw new Error('broken');
      return undefined;
    },
    1_000,
    () => 'never',
  );
  fails = true;
  signal.notify();
  await t.rejects(failing, /^broken$/);
  await t.rejects(
    signal.waitFor(
      () => undefined,
      5,
      () => 'why',
    ),
    /^after 5 ms: why$/,
  );
});
