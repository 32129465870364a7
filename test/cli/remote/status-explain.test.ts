/** `gateway status` and `gateway explain`, for people and for scripts. */
import t from 'tap';
import { startGateway } from '../../helpers/gateway-process.ts';
import { commandsFor, linesOf } from './remote-commands.ts';

const gateway = await startGateway(t, { workers: 2, flags: ['--instance', 'here'] });
const commands = await commandsFor(t, gateway);
const file = await commands.file(
  'gateway.yaml',
  `clusters: { one: { destinations: { d: { url: "http://10.0.0.1:1" } } } }
routes:
  plain: { match: { path: "/a/{**rest}" }, cluster: one }
  versioned: { match: { path: "/a/{**rest}", headers: [{ name: x-version, values: ["2"] }] }, cluster: one }
`,
);
t.equal((await commands.run(['apply', file])).code, 0);

t.test('status: the store, the revision and the workers', async (t) => {
  const { code, stdout } = await commands.run(['status']);
  t.equal(code, 0);
  t.match(stdout, new RegExp(`^here, version \\S+, ready, listens on 127.0.0.1:${gateway.port}$`, 'm'));
  t.match(stdout, /^store +file \(.*\), reachable$/m);
  t.match(stdout, /^revision +1, 2 routes, 1 cluster, fingerprint \w+$/m);
  t.match(linesOf(stdout).at(-3), /^WORKER +PID +STATE +REVISION +FINGERPRINT$/);
  t.equal([...stdout.matchAll(/^\d+ +\d+ +serving +1 +\w+$/gm)].length, 2);
});

t.test('status --fleet: this instance alone, where the store is its own', async (t) => {
  const { code, stdout } = await commands.run(['status', '--fleet']);
  t.equal(code, 0);
  const [header, row, ...rest] = linesOf(stdout);
  t.match(header, /^INSTANCE +VERSION +LISTEN +READY +REVISION +LAGS +WORKERS /);
  t.match(row, /^here +\S+ +127\.0\.0\.1:\d+ +yes +1 +no +2 /);
  t.same(rest, []);
});

t.test('status --json', async (t) => {
  const [one, fleet] = await Promise.all([commands.read(['status']), commands.read(['status', '--fleet'])]);
  t.match(one, {
    instance: 'here',
    ready: true,
    configuration: { revision: 1, routes: 2 },
    workers: [{}, {}],
  });
  t.match(fleet, { instances: [{ instance: 'here', lags: false }] });
});

t.test('explain: the route, why it won, and what is sent where', async (t) => {
  const words = ['explain', 'GET', 'http://api.example.com/a/b?x=1'];
  const { code, stdout } = await commands.run([
    ...words,
    '-H',
    'x-version: 2',
    '-H',
    'x-twice: 1',
    '-H',
    'x-twice: 2',
  ]);
  t.equal(code, 0);
  t.match(stdout, /^request +GET api\.example\.com \/a\/b\?x=1$/m);
  t.match(stdout, /^route +versioned → one$/m);
  t.match(stdout, /^ +x-twice: 1\n +x-twice: 2$/m);
  t.match(stdout, /^picks +d http:\/\/10\.0\.0\.1:1/m);
  t.match(stdout, /^versioned +0 +yes /m);
  const other = await commands.run(words);
  t.match(other.stdout, /^route +plain → one$/m);
  t.match(other.stdout, /^versioned +0 +no +\S/m, 'and why the others did not win');
});

t.test('explain --json, and a path with a Host', async (t) => {
  const answer = await commands.read([
    'explain',
    'POST',
    '/a',
    '-H',
    'host: api.example.com',
    '--client',
    '10.9.9.9',
  ]);
  t.match(answer, { revision: 1, route: 'plain', request: { host: 'api.example.com', path: '/a' } });
});

t.test('explain: a request that the gateway itself would answer, and why', async (t) => {
  const [none, bad, method] = await Promise.all([
    commands.run(['explain', 'GET', 'http://h/nothing']),
    commands.run(['explain', 'GET', 'http://h/a%5c..']),
    commands.run(['explain', 'TRACE', 'http://h/a']),
  ]);
  t.same([none.code, bad.code, method.code], [0, 0, 0]);
  t.match(none.stdout, /^answer +404 GW_ERR_NO_ROUTE/m);
  t.match(bad.stdout, /^answer +400 GW_ERR_BAD_TARGET/m);
  t.match(method.stdout, /^answer +405 GW_ERR_METHOD_NOT_ALLOWED/m);
});

t.test('explain: what is no header or no address is refused', async (t) => {
  const [header, client] = await Promise.all([
    commands.run(['explain', 'GET', '/', '-H', 'no colon']),
    commands.run(['explain', 'GET', 'http://h/a', '--client', 'nobody']),
  ]);
  t.equal(header.code, 1);
  t.match(header.stderr, 'give "name: value".');
  t.equal(client.code, 1);
  t.match(client.stderr, 'give an IP address');
});
