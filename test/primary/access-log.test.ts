/** What the log says of a request, and what it must never say. */
import t from 'tap';
import { type GatewayProcess, type LogLine, startGateway } from '../helpers/gateway-process.ts';
import { connect, formatRequest, request } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { findServerPort } from '../helpers/server-port.ts';
import { get } from '../helpers/worker-processes.ts';

const origin = await startOrigin(
  (request, connection) => {
    if (request.target.startsWith('/broken')) connection.breakOff('reset', 100, { body: 'half' });
    else connection.answer({ body: 'answer' });
  },
  { owner: t },
);
const config = {
  clusters: {
    good: { destinations: { one: { url: origin.url } } },
    dead: { destinations: { one: { url: `http://127.0.0.1:${await findServerPort()}` } } },
  },
  routes: {
    all: { match: { path: '/{**rest}' }, cluster: 'good' },
    dead: { match: { path: '/dead' }, cluster: 'dead' },
  },
};

const isRequest = (line: LogLine) => line.msg === 'request';

/** Waits for the line of the request to that path. */
const lineOf = (gateway: GatewayProcess, path: string) =>
  gateway.waitForLog((line) => isRequest(line) && line.path === path);

t.test('a line a request', async (t) => {
  const gateway = await startGateway(t, { config });

  t.test('says which way the request went', async (t) => {
    const text = formatRequest(
      'POST',
      '/way?a=b',
      { Host: 'Shop.example:8080', Connection: 'close' },
      'body',
    );
    const response = await request(gateway.port, text);
    const line = await lineOf(gateway, '/way');
    t.match(line, {
      level: 'info',
      requestId: response.header('x-request-id'),
      client: '127.0.0.1',
      method: 'POST',
      host: 'shop.example',
      status: 200,
      code: null,
      route: 'all',
      cluster: 'good',
      destination: 'one',
      attempts: 1,
      revision: gateway.revision,
      requestBytes: 4,
      responseBytes: 6,
      worker: Number,
      pid: Number,
      time: /^\d{4}-\d\d-\d\dT/,
    });
    const { durationMs, upstreamMs } = line;
    t.ok(
      Number(upstreamMs) >= 0 && Number(durationMs) >= Number(upstreamMs),
      `${upstreamMs} of ${durationMs}`,
    );
  });

  t.test('says what failed, and on which side', async (t) => {
    t.equal((await get(gateway.port, '/dead')).status, 502);
    t.match(await lineOf(gateway, '/dead'), {
      status: 502,
      code: 'GW_ERR_UPSTREAM_CONNECT',
      route: 'dead',
      cluster: 'dead',
      upstreamMs: null,
    });
    t.equal((await get(gateway.port, '/broken')).ended, 'reset');
    t.match(await lineOf(gateway, '/broken'), { code: 'GW_ERR_UPSTREAM_BODY' });
    await gateway.applyConfig({ ...config, routes: {} });
    t.equal((await get(gateway.port, '/nowhere')).status, 404);
    t.match(await lineOf(gateway, '/nowhere'), {
      status: 404,
      code: 'GW_ERR_NO_ROUTE',
      route: null,
      cluster: null,
      destination: null,
      revision: gateway.revision,
    });
    await gateway.applyConfig(config);
  });

  t.test('stays short however long the path is', async (t) => {
    await get(gateway.port, `/long${'x'.repeat(5_000)}`);
    const line = await gateway.waitForLog((line) => isRequest(line) && String(line.path).startsWith('/long'));
    t.ok(JSON.stringify(line).length < 4_096);
  });
});

t.test('secrets of a request are in no line of the log, whatever becomes of it', async (t) => {
  const secret = 'planted-secret-4711';
  const gateway = await startGateway(t, { config, logLevel: 'trace' });
  const headers = {
    Authorization: `Bearer ${secret}`,
    'Proxy-Authorization': `Basic ${secret}`,
    Cookie: `session=${secret}`,
    'X-Api-Key': secret,
    Connection: 'close',
  };
  const webSocket = {
    ...headers,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const target = (path: string) => `${path}?token=${secret}`;
  const texts = [
    formatRequest('GET', target('/served'), headers),
    formatRequest('GET', target('/dead'), headers),
    formatRequest('GET', target('/broken'), headers),
    formatRequest('POST', target('/posted'), headers, `password=${secret}`),
    formatRequest('GET', target('/back\\slash'), headers),
    formatRequest('GET', `/..;/?${secret}`, headers),
    formatRequest('TRACE', target('/traced'), headers),
    formatRequest('GET', target(`http://user:${secret}@localhost/absolute`), headers),
    formatRequest('GET', target('/expecting'), { ...headers, Expect: secret }),
    formatRequest('GET', target('/socket'), webSocket),
    formatRequest('GET', target('/dead'), webSocket),
    `GET ${target('/no-http')} HTTP/1.1\r\nHost: localhost\r\n${secret}\r\n\r\n`,
    `GET ${target('/huge')} HTTP/1.1\r\nHost: localhost\r\nCookie: ${secret.repeat(2_000)}\r\n\r\n`,
  ];
  for (const text of texts) {
    const client = await connect(gateway.port, { owner: t });
    client.send(text);
    await client.readResponse();
    client.close();
  }
  await lineOf(gateway, '/served');
  t.match(await gateway.stop(), { code: 0 });
  t.ok(gateway.logs.filter(isRequest).length >= 6);
  const telling = gateway.logs.map((line) => JSON.stringify(line)).filter((line) => line.includes(secret));
  t.same(telling, []);
  t.notMatch(gateway.stderr, secret);
});

t.test('switched off, it writes no line, not even for a failure', async (t) => {
  const gateway = await startGateway(t, { config, accessLog: 'off' });
  await get(gateway.port, '/served');
  await get(gateway.port, '/dead');
  await gateway.stop();
  t.same(gateway.logs.filter(isRequest), []);
});

t.test('a sample holds every failure of the gateway and its origins', async (t) => {
  const gateway = await startGateway(t, { config, accessLog: 0.000001 });
  for (let count = 0; count < 20; count += 1) await get(gateway.port, '/served');
  for (let count = 0; count < 3; count += 1) await get(gateway.port, '/dead');
  await gateway.stop();
  const paths = gateway.logs.filter(isRequest).map(({ path }) => path);
  t.same(paths, ['/dead', '/dead', '/dead']);
});
