/** Who the client is and how it came: believed from trusted peers only. */
import t from 'tap';
import type { HeaderField } from '../helpers/http-message.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { startProxiedOrigin } from './proxied-origin.ts';

const TRUSTED = '127.0.0.2';
const STRANGER = '127.0.0.1';
const proxied = await startProxiedOrigin(t, { flags: ['--trusted-proxies', '127.0.0.2/32,10.0.0.0/8'] });

/** What the origin gets of a GET with these fields from a peer with that address. */
async function forward(localAddress: string, fields: readonly HeaderField[] | Record<string, string>) {
  const { received } = await proxied.exchange(formatRequest('GET', '/', fields), undefined, { localAddress });
  return received;
}

const CLAIMS: readonly HeaderField[] = [
  ['Host', 'api.example.com:8080'],
  ['X-Forwarded-For', '192.0.2.1'],
  ['x-forwarded-for', '198.51.100.7, 10.0.0.9'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'shop.example.com'],
  ['X-Forwarded-Port', '443'],
  ['X-Forwarded-Prefix', '/shop'],
  ['X-Real-IP', '192.0.2.1'],
  ['Forwarded', 'for=192.0.2.1;proto=https'],
  ['Forwarded', 'for=198.51.100.7'],
];

t.test('what an untrusted peer says of the client is replaced', async (t) => {
  const received = await forward(STRANGER, CLAIMS);
  t.same(received.headerValues('x-forwarded-for'), [STRANGER]);
  t.same(received.headerValues('x-forwarded-proto'), ['http']);
  t.same(received.headerValues('x-forwarded-host'), ['api.example.com:8080']);
  t.same(received.headerValues('x-forwarded-port'), []);
  t.same(received.headerValues('x-forwarded-prefix'), []);
  t.same(received.headerValues('x-real-ip'), []);
  t.same(received.headerValues('forwarded'), [`for=${STRANGER};host="api.example.com:8080";proto=http`]);
});

t.test('what a trusted peer says of the client is kept, and its own address appended', async (t) => {
  const received = await forward(TRUSTED, CLAIMS);
  t.same(received.headerValues('x-forwarded-for'), [`192.0.2.1, 198.51.100.7, 10.0.0.9, ${TRUSTED}`]);
  t.same(received.headerValues('x-forwarded-proto'), ['https']);
  t.same(received.headerValues('x-forwarded-host'), ['shop.example.com']);
  t.same(received.headerValues('x-forwarded-port'), ['443']);
  t.same(received.headerValues('x-forwarded-prefix'), ['/shop']);
  t.same(received.headerValues('x-real-ip'), ['192.0.2.1']);
  t.same(received.headerValues('forwarded'), [
    `for=192.0.2.1;proto=https, for=198.51.100.7, for=${TRUSTED};host="api.example.com:8080";proto=http`,
  ]);
});

t.test('who says nothing is described all the same, but for Forwarded', async (t) => {
  for (const address of [STRANGER, TRUSTED]) {
    const received = await forward(address, { Host: 'api.example.com' });
    t.same(received.headerValues('x-forwarded-for'), [address]);
    t.same(received.headerValues('x-forwarded-proto'), ['http']);
    t.same(received.headerValues('x-forwarded-host'), ['api.example.com']);
    t.same(received.headerValues('forwarded'), []);
  }
});

t.test('look-alikes with other marks are dropped, whoever sends them', async (t) => {
  const names = [
    'X_Forwarded_For',
    'X-Forwarded_For',
    'x_forwarded_proto',
    'X_Request_Id',
    'X_Real_IP',
    'X.Forwarded.For',
  ];
  const fields = names.map((name): HeaderField => [name, 'look-alike']);
  for (const address of [STRANGER, TRUSTED]) {
    const received = await forward(address, [...fields, ['Content_Length', '5'], ['X_Other', 'kept']]);
    t.notMatch(received.headBytes.toString(), /look-alike|content_length/i);
    t.equal(received.header('x_other'), 'kept');
  }
});

t.test('a request id is made, sent to the origin and told to the client', async (t) => {
  const ids = new Set<string>();
  for (let count = 0; count < 3; count += 1) {
    const { received, response } = await proxied.exchange(formatRequest('GET', '/'));
    const sent = received.headerValues('x-request-id');
    t.equal(sent.length, 1);
    t.match(sent[0], /^[A-Za-z0-9_-]{8,}$/);
    t.same(response.headerValues('x-request-id'), sent);
    ids.add(sent[0] ?? '');
  }
  t.equal(ids.size, 3, 'each request has its own');
});

t.test('the request id of a trusted peer is kept', async (t) => {
  const text = formatRequest('GET', '/', { 'X-Request-ID': 'from-the-edge:42' });
  const { received, response } = await proxied.exchange(text, undefined, { localAddress: TRUSTED });
  t.same(received.headerValues('x-request-id'), ['from-the-edge:42']);
  t.same(response.headerValues('x-request-id'), ['from-the-edge:42']);
});

t.test('the request id of an untrusted peer is replaced', async (t) => {
  const text = formatRequest('GET', '/', { 'X-Request-Id': 'made-up' });
  const { received, response } = await proxied.exchange(text);
  t.equal(received.headerValues('x-request-id').length, 1);
  t.notMatch(received.headBytes.toString(), /made-up/);
  t.same(response.headerValues('x-request-id'), received.headerValues('x-request-id'));
});

t.test('rubbish for a request id is replaced even from a trusted peer', async (t) => {
  for (const rubbish of ['', 'two words', 'quote"d', 'back\\slash', 'a,b', 'caf\u00e9', 'x'.repeat(129)]) {
    const received = await forward(TRUSTED, { 'X-Request-Id': rubbish });
    const ids = received.headerValues('x-request-id');
    t.equal(ids.length, 1, JSON.stringify(rubbish));
    t.match(ids[0], /^[A-Za-z0-9_-]{8,}$/, JSON.stringify(rubbish));
  }
});

t.test('two request ids never go on as two', async (t) => {
  const fields: HeaderField[] = [
    ['X-Request-Id', 'one'],
    ['x-request-id', 'two'],
  ];
  for (const address of [STRANGER, TRUSTED])
    t.equal((await forward(address, fields)).headerValues('x-request-id').length, 1, address);
});

t.test('the client gets one request id, also where the origin sends one or more', async (t) => {
  for (const ids of [['origin-1'], ['origin-1', 'origin-2']]) {
    const headers = ids.map((id): HeaderField => ['X-Request-Id', id]);
    const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
      connection.answer({ headers }),
    );
    t.equal(response.headerValues('x-request-id').length, 1, ids.join(' and '));
  }
});

t.test('a problem document carries the request id of a trusted peer', async (t) => {
  const text = formatRequest('GET', '/../', { 'X-Request-Id': 'edge-7' });
  const response = await proxied.request(text, { localAddress: TRUSTED });
  t.equal(response.status, 400);
  const [id] = response.headerValues('x-request-id');
  t.equal(JSON.parse(response.text).requestId, id, 'whichever it is, both places agree');
});
