/** Connections are few: who has not shown a token cannot hold on to one. */
import t from 'tap';
import { connect, formatRequest, type RawClient, request } from '../helpers/raw-client.ts';
import { formatCall, startAdmin } from './started-admin.ts';

const admin = await startAdmin(t);
const { port, tokens, controlPlane } = admin;
const ENDLESS = { 'Content-Length': '100000000000', 'Content-Type': 'application/json' };

t.test('a connection ends with the answer that a token is missing, and the answer arrives', async (t) => {
  for (const headers of [{}, { Authorization: 'Bearer no' }]) {
    for (const body of ['', 'x'.repeat(300_000)]) {
      const client = await connect(port, { owner: t });
      client.send(formatRequest('PUT', '/api/gateway/config', headers, body));
      const response = await client.readResponse();
      t.same([response.status, response.header('connection')], [401, 'close']);
      t.equal(await client.waitForClose(), 'closed');
    }
  }
});

t.test('what comes after a refused request on its connection is not looked at', async (t) => {
  const client = await connect(port, { owner: t });
  const write = formatCall(tokens, 'PUT', '/api/gateway/config', { body: {} });
  client.send(formatRequest('GET', '/api/gateway/status') + write);
  t.equal((await client.readResponse()).status, 401);
  await client.waitForClose();
  t.equal(client.unread.length, 0);
  t.equal(controlPlane.orders.length, 0);
});

t.test('with a token a refusal ends nothing', async (t) => {
  const client = await connect(port, { owner: t });
  for (const [path, as, status] of [
    ['nothing', 'admin', 404],
    ['config', 'reader', 403],
    ['status', 'reader', 405],
  ] as const) {
    client.send(formatCall(tokens, 'PUT', `/api/gateway/${path}`, { as, body: {} }));
    t.equal((await client.readResponse()).status, status);
  }
});

t.test(
  'a client that does not come to the end of its request, or not to its beginning, is hung up on',
  async (t) => {
    const limitMs = 9_500;
    const send = async (text: string, status: number | null): Promise<RawClient> => {
      const client = await connect(port, { owner: t });
      client.send(text);
      if (status !== null) t.equal((await client.readResponse()).status, status);
      return client;
    };
    const call = (method: string, path: string) =>
      formatCall(tokens, method, path, { body: 'x', headers: ENDLESS });
    const silent = await connect(port, { owner: t });
    const clients = await Promise.all([
      send('GET /healthz HTTP/1.1\r\n', null),
      send(formatRequest('PUT', '/api/gateway/config', ENDLESS, 'x'), 401),
      send(formatRequest('GET', '/healthz', ENDLESS, 'x'), 200),
      send(formatRequest('POST', '/healthz', ENDLESS, 'x'), 405),
      send(formatRequest('POST', '/nothing', ENDLESS, 'x'), 404),
      send(call('PUT', '/api/gateway/config'), 413),
      send(call('PUT', '/api/gateway/nothing'), 404),
      send(call('GET', '/api/gateway/status'), 200),
    ]);
    // Something moves on all of them: that alone keeps none of them open.
    const trickle = setInterval(() => {
      for (const client of clients) if (client.connectionEnd === null) client.send('x');
    }, 400);
    t.teardown(() => clearInterval(trickle));
    await t.resolves(Promise.all([silent, ...clients].map((client) => client.waitForClose(limitMs))));
  },
);

t.test('one address cannot shut out the probes', async (t) => {
  const clients: RawClient[] = [];
  for (let count = 0; count < 300; count += 1) {
    clients.push(await connect(port, { owner: t, localAddress: '127.0.0.2' }));
  }
  await clients.at(-1)?.waitForClose();
  const refused = clients.filter(({ connectionEnd }) => connectionEnd !== null).length;
  t.ok(refused > 0 && refused <= 44, `${refused} of 300 were refused`);
  t.equal((await request(port, formatRequest('GET', '/readyz'))).status, 200);
  for (const client of clients) client.close();
});

const CLUSTER = { destinations: { d: { url: 'http://127.0.0.1:1' } } };

t.test('100 Continue is only said to who has a token', async (t) => {
  const target = '/api/gateway/clusters/c';
  const head = (as: 'admin' | null) =>
    formatCall(tokens, 'PUT', target, {
      as,
      headers: {
        Expect: '100-continue',
        'Content-Type': 'application/json',
        'Content-Length': String(JSON.stringify(CLUSTER).length),
      },
    });
  const stranger = await request(port, head(null));
  t.same([stranger.status, stranger.informational.length], [401, 0]);
  const client = await connect(port, { owner: t });
  client.send(head('admin'));
  await client.waitForBytes('HTTP/1.1 100 Continue\r\n\r\n');
  client.send(JSON.stringify(CLUSTER));
  t.equal((await client.readResponse()).status, 201);
});

t.test('what else is expected is refused with a problem document', async (t) => {
  const headers = { Expect: '200-ok' };
  const response = await request(port, formatCall(tokens, 'GET', '/api/gateway/status', { headers }));
  const { code, requestId } = JSON.parse(response.text);
  t.same([response.status, code], [417, 'GW_ERR_EXPECTATION_FAILED']);
  t.equal(requestId, response.header('x-request-id'));
  t.equal((await request(port, formatRequest('GET', '/api/gateway/status', headers))).status, 401);
});
