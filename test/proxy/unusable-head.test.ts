/** Heads of origins that Node would not write, and what must not come of them. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';

const origin = await startOrigin((_, connection) => connection.answer({ body: 'plain' }), { owner: t });
const gateway = await startGateway(t, {
  config: {
    clusters: { only: { destinations: { one: { url: origin.url } } } },
    routes: { all: { match: {}, cluster: 'only' } },
  },
});

/** What a client reads when the origin answers with these bytes, and what it reads next on the same connection. */
async function exchange(method: string, answer: string, fields: Record<string, string> = {}) {
  const client = await connect(gateway.port, { owner: t });
  origin.handler = (_, connection) => connection.write(answer);
  client.send(formatRequest(method, '/odd', fields));
  const first = await client.readResponse({ toHead: method === 'HEAD' });
  origin.handler = (_, connection) => connection.answer({ body: 'plain' });
  if (first.header('connection') === 'close') return { first, second: null };
  client.send(formatRequest('GET', '/plain'));
  return { first, second: await client.readResponse() };
}

const ANNOUNCED: [what: string, method: string, answer: string][] = [
  ['with a length', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTrailer: x-sum\r\n\r\nok'],
  ['without a body', 'GET', 'HTTP/1.1 304 Not Modified\r\nTrailer: x-sum\r\n\r\n'],
  ['to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n'],
];
for (const [what, method, answer] of ANNOUNCED) {
  t.test(`an answer ${what} that announces trailers passes without them`, async (t) => {
    const { first, second } = await exchange(method, answer);
    t.match(String(first.status), /^(200|304)$/);
    t.equal(first.header('trailer'), undefined);
    if (second !== null) t.same([second.status, second.text], [200, 'plain'], 'and the next answer is whole');
  });
}

for (const fields of [{}, { trailer: 'x-sum', 'transfer-encoding': 'chunked' }]) {
  const engine = 'trailer' in fields ? 'of its own connection' : 'of the pool';
  t.test(`a reason phrase with a control character is left out (engine ${engine})`, async (t) => {
    const client = await connect(gateway.port, { owner: t });
    origin.handler = (_, connection) =>
      connection.write('HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok');
    client.send(
      'trailer' in fields
        ? 'POST /odd HTTP/1.1\r\nHost: a\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
        : formatRequest('GET', '/odd'),
    );
    const response = await client.readResponse();
    t.match(String(response.status), /^(200|502)$/);
    t.notOk(response.headBytes.includes(1));
    t.notOk(gateway.logs.some(({ msg }) => msg === 'worker died'));
  });
}

t.test('clients that give up while they wait for a connection cost the origin none', async (t) => {
  const crowded = await startOrigin(() => {}, { owner: t });
  await gateway.applyConfig({
    clusters: {
      only: { destinations: { one: { url: crowded.url } }, pool: { maxConnections: 1, maxQueued: 50 } },
    },
    routes: { all: { match: {}, cluster: 'only' } },
  });
  const first = await connect(gateway.port, { owner: t });
  first.send(formatRequest('GET', '/first'));
  await crowded.waitForRequests(1);
  const underWay = async () =>
    (await gateway.metrics()).get('gateway_requests_in_flight{cluster="only",route="all"}');
  const impatient = await Promise.all(Array.from({ length: 40 }, () => connect(gateway.port, { owner: t })));
  for (const client of impatient) client.send(formatRequest('GET', '/impatient'));
  // Each scrape asks the worker, so these end as soon as it has all of them, and as soon as all are gone.
  while ((await underWay()) !== 41);
  for (const client of impatient) client.reset();
  while ((await underWay()) !== 1);
  crowded.handler = (_, connection) => connection.answer({ body: 'ok' });
  const patient = await connect(gateway.port, { owner: t });
  patient.send(formatRequest('GET', '/patient'));
  await first.reset();
  t.equal((await patient.readResponse()).status, 200);
  t.ok(crowded.acceptedConnections <= 3, `${crowded.acceptedConnections} connections for two requests`);
});
