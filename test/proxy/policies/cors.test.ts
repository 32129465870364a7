/** Scripts of other origins: what browsers are told, by the gateway alone. */
import t from 'tap';
import type { HeaderField } from '../../helpers/http-message.ts';
import { formatRequest } from '../../helpers/raw-client.ts';
import type { RawResponse } from '../../helpers/response-reader.ts';
import { answerOk, outcome, startProxiedOrigin } from '../proxied-origin.ts';
import { ACCEPT_FIELDS, formatUpgrade } from '../websocket-peers.ts';

const APP = 'https://app.example.com';
const EVIL = 'https://evil-example.com';
const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';
const origins = [APP, 'https://*.example.com'];

const proxy = await startProxiedOrigin(t, {
  routes: {
    api: {
      match: { path: '/api/{**rest}', methods: ['GET', 'POST'] },
      cors: { origins, credentials: true, exposeHeaders: ['x-total'] },
      auth: { apiKey: {} },
    },
    put: { match: { path: '/api/{**rest}', methods: ['PUT'] }, cors: { origins: ['https://put.example'] } },
    any: { match: { path: '/any' }, cors: { origins: ['*'], headers: ['x-a'], maxAgeSec: 5 } },
    own: { match: { path: '/own' } },
    socket: { match: { path: '/socket' }, cors: { origins, credentials: true } },
    body: { match: { path: '/local-body' }, cors: { origins }, limits: { maxBodyBytes: 10 } },
    local: {
      match: { path: '/local' },
      clientAddresses: { allow: ['127.0.0.9'] },
      cors: { origins },
      limits: { maxConcurrent: 100 },
    },
  },
});

function preflight(path: string, origin: string, method = 'POST', ...more: readonly HeaderField[]): string {
  return formatRequest('OPTIONS', path, [
    ['Origin', origin],
    ['Access-Control-Request-Method', method],
    ...more,
  ]);
}

/** The fields of an answer that browsers go by, and caches. */
function corsFieldsOf(response: RawResponse): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    const key = name.toLowerCase();
    if (key.startsWith('access-control-') || key === 'vary')
      fields[key] = fields[key] ? `${fields[key]} | ${value}` : value;
  }
  return fields;
}

t.test(
  'the gateway answers a pre-flight before authentication, though the route takes no OPTIONS',
  async (t) => {
    const before = proxy.origin.requests.length;
    const asked: HeaderField = ['Access-Control-Request-Headers', 'authorization, content-type'];
    const response = await proxy.request(preflight('/api/orders?x=1', APP, 'POST', asked));
    t.same([response.status, response.text], [204, '']);
    t.same(corsFieldsOf(response), {
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-max-age': '600',
      vary: PREFLIGHT_VARY,
    });
    t.equal(response.header('content-length'), undefined, 'RFC 9110 §8.6');
    t.match(response.header('x-request-id'), /^\S+$/);
    t.equal(proxy.origin.requests.length, before);
  },
);

t.test('it goes by the route of the request that is asked about', async (t) => {
  const put = await proxy.request(preflight('/api/orders', 'https://put.example', 'PUT'));
  t.equal(put.header('access-control-allow-methods'), 'PUT');
  const wrongMethod = await proxy.request(preflight('/api/orders', APP, 'PUT'));
  t.equal(wrongMethod.header('access-control-allow-origin'), undefined, 'that route is for others');
  t.same(outcome(await proxy.request(preflight('/api/orders', APP, 'DELETE'))), [404, 'GW_ERR_NO_ROUTE']);
  const any = await proxy.request(preflight('/any', 'https://any.where', 'PATCH'));
  t.same(corsFieldsOf(any), {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    'access-control-allow-headers': 'x-a',
    'access-control-max-age': '5',
    vary: PREFLIGHT_VARY,
  });
});

t.test('an origin that is not allowed is told nothing', async (t) => {
  for (const origin of [EVIL, 'https://example.com', 'http://app.example.com', `${APP}.evil.org`, 'null']) {
    const response = await proxy.request(preflight('/api/orders', origin));
    t.equal(response.status, 204);
    t.same(corsFieldsOf(response), { vary: PREFLIGHT_VARY }, origin);
  }
});

t.test('a pre-flight from an address that is denied is refused as any request', async (t) => {
  t.same(outcome(await proxy.request(preflight('/local', APP))), [403, 'GW_ERR_ADDRESS_DENIED']);
  t.equal((await proxy.request(preflight('/local', APP), { localAddress: '127.0.0.9' })).status, 204);
});

t.test('what is no pre-flight, and one for a route without cors, goes on to the origin', async (t) => {
  const requests = [
    formatRequest('OPTIONS', '/any'),
    formatRequest('OPTIONS', '/any', { Origin: APP }),
    formatRequest('OPTIONS', '/any', { 'Access-Control-Request-Method': 'GET' }),
    formatRequest('OPTIONS', '/any', [
      ['Origin', APP],
      ['Origin', EVIL],
      ['Access-Control-Request-Method', 'GET'],
    ]),
    preflight('/own', APP),
  ];
  for (const text of requests) t.match((await proxy.exchange(text)).received.startLine, /^OPTIONS /);
  const response = await proxy.request(
    formatRequest('GET', '/any', { 'Access-Control-Request-Method': 'GET', Origin: APP }),
  );
  t.equal(response.status, 200);
});

t.test('a pre-flight keeps the connection, and its body is read', async (t) => {
  const client = await proxy.connect(t);
  client.send(preflight('/any', APP) + formatRequest('GET', '/any'));
  t.equal((await client.readResponse()).status, 204);
  t.equal((await client.readResponse()).text, 'ok');
  client.send(
    `${preflight('/any', APP, 'GET', ['Content-Length', '40'])}${formatRequest('GET', '/smuggled').slice(0, 40)}`,
  );
  t.equal((await client.readResponse()).status, 204);
});

const ORIGINS_WORD: readonly HeaderField[] = [
  ['Access-Control-Allow-Origin', '*'],
  ['access-control-allow-credentials', 'true'],
  ['ACCESS-CONTROL-EXPOSE-HEADERS', 'x-secret'],
  ['Access-Control-Allow-Methods', 'DELETE'],
  ['Access-Control-Allow-Headers', '*'],
  ['Access-Control-Max-Age', '86400'],
  ['Vary', 'Accept-Encoding'],
];

t.test("the gateway's word stands in place of the origin's, and Vary is added to", async (t) => {
  const answer = { headers: ORIGINS_WORD, body: 'ok' };
  const asked = async (path: string, origin?: string) => {
    const fields = origin === undefined ? {} : { Origin: origin };
    const { response } = await proxy.exchange(
      formatRequest('GET', path, fields as Record<string, string>),
      (_, connection) => connection.answer(answer),
    );
    return corsFieldsOf(response);
  };
  t.same(await asked('/socket', APP), {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    vary: 'Accept-Encoding | Origin',
  });
  for (const origin of [EVIL, undefined])
    t.same(await asked('/socket', origin), { vary: 'Accept-Encoding | Origin' });
  for (const origin of [EVIL, undefined]) {
    t.same(await asked('/any', origin), { 'access-control-allow-origin': '*', vary: 'Accept-Encoding' });
  }
  t.equal(
    (await asked('/own', APP))['access-control-expose-headers'],
    'x-secret',
    'without cors it is passed on',
  );
});

t.test('a script may read the answers of the gateway too', async (t) => {
  const refused = await proxy.request(formatRequest('GET', '/api/orders', { Origin: APP }));
  t.equal(refused.status, 401);
  t.match(corsFieldsOf(refused), {
    'access-control-allow-origin': APP,
    'access-control-expose-headers': 'x-total',
  });
  const upgrade = await proxy.request(formatUpgrade('/api/orders', [['Origin', APP]]));
  t.same([upgrade.status, corsFieldsOf(upgrade)], [401, corsFieldsOf(refused)]);
  const other = await proxy.request(formatRequest('GET', '/api/orders', { Origin: EVIL }));
  t.same([other.status, corsFieldsOf(other)], [401, { vary: 'Origin' }]);
});

/** What becomes of a WebSocket that a page of this origin opens. */
async function openFrom(path: string, ...fields: readonly HeaderField[]): Promise<RawResponse> {
  proxy.origin.handler = (request, connection) => {
    if (request.header('upgrade') === undefined) return answerOk(request, connection);
    connection.inform(101, [...ACCEPT_FIELDS, ...ORIGINS_WORD]);
    connection.close();
  };
  return proxy.request(formatUpgrade(path, fields));
}

t.test('a WebSocket of a page of another origin is refused, as its browser would not', async (t) => {
  const refused = [403, 'GW_ERR_ORIGIN_DENIED'];
  const before = proxy.origin.requests.length;
  const both: HeaderField[] = [
    ['Origin', APP],
    ['Origin', EVIL],
  ];
  for (const origin of [
    EVIL,
    'null',
    'https://localhost.evil.org',
    'https://localhost:81',
    'localhost',
    '',
    'https://',
  ])
    t.same(outcome(await openFrom('/socket', ['Origin', origin])), refused, origin);
  t.same(outcome(await openFrom('/socket', ...both)), refused);
  t.equal(proxy.origin.requests.length, before);
  t.same(outcome(await openFrom('/api/', ['Origin', EVIL])), refused, 'before authentication');
});

t.test('a WebSocket of an allowed page, of the own host or of no page is opened', async (t) => {
  const opened = async (path: string, ...fields: readonly HeaderField[]) =>
    (await openFrom(path, ...fields)).status;
  for (const origin of [
    APP,
    'https://a.example.com',
    'http://localhost',
    'https://LOCALHOST',
    'https://localhost:443',
  ])
    t.equal(await opened('/socket', ['Origin', origin]), 101, origin);
  t.equal(await opened('/socket', ['Host', '[::1]:8080'], ['Origin', 'http://[::1]:8080']), 101);
  t.equal(await opened('/socket'), 101);
  t.equal(await opened('/any', ['Origin', EVIL]), 101, 'any origin may');
  t.equal(await opened('/own', ['Origin', EVIL]), 101, 'without cors the origin decides');
  t.same(corsFieldsOf(await openFrom('/socket', ['Origin', APP])), {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    vary: 'Accept-Encoding | Origin',
  });
});

t.test('scripts may read why they are refused, whatever the reason', async (t) => {
  const origin: HeaderField = ['Origin', APP];
  const tooLarge = formatRequest('POST', '/local-body', [origin, ['Content-Length', '1000']]);
  for (const [text, status] of [
    [formatRequest('GET', '/local', [origin]), 403],
    [formatRequest('GET', '/api/orders', [origin]), 401],
    [tooLarge, 413],
    [formatRequest('GET', '/api/a%2Fb', [origin, ['X-Api-Key', 'fgk_the-key-of-the-shop']]), 401],
  ] as const) {
    const response = await proxy.request(text);
    t.same([response.status, response.header('access-control-allow-origin')], [status, APP]);
  }
});
