/** The load generators of the benchmarks against an origin that does as it is told. */
import t from 'tap';
import { loadOverHttp } from '../../benchmarks/suite/autocannon-load.ts';
import { parseCoreList } from '../../benchmarks/suite/cores.ts';
import { loadAtRate } from '../../benchmarks/suite/open-loop.ts';
import { parseOptions } from '../../benchmarks/suite/options.ts';
import { readWrkOutput } from '../../benchmarks/suite/wrk-load.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';

const SECONDS = 0.1;
const GET = Buffer.from('GET / HTTP/1.1\r\nHost: origin\r\n\r\n');

t.test('every path is asked for, and what is refused or cut counts as failed', async (t) => {
  const origin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner: t });
  const load = { port: origin.port, connections: 2, paths: ['/a', '/b', '/c'] };
  const askedFor = () => [...new Set(origin.requests.map(({ target }) => target))].sort();
  // A machine that stands still for the whole of such a short load is no failure of it.
  while (askedFor().length < load.paths.length) {
    const { failed } = await loadOverHttp(load, SECONDS);
    t.equal(failed, 0);
  }
  t.same(askedFor(), load.paths);
  let cut = 0;
  while (cut === 0) {
    const result = await loadOverHttp({ ...load, leastBytes: 1_000_000 }, SECONDS);
    t.equal(result.requests, 0);
    cut = result.failed;
  }
});

t.test('a steady rate sends what is due, and tells failures from answers', async (t) => {
  const origin = await startOrigin(
    (request, connection) => connection.answer({ status: request.target === '/' ? 200 : 503, body: 'ok' }),
    { owner: t },
  );
  const pace = { connections: 2, requestsPerSecond: 200 };
  const good = await loadAtRate(origin.port, GET, pace, SECONDS);
  t.match(good, { requests: 20, failed: 0 });
  t.ok(good.p50Ms > 0);
  const refused = Buffer.from(GET.toString().replace('/', '/refused'));
  t.match(await loadAtRate(origin.port, refused, pace, SECONDS), { requests: 0, failed: 20 });
});

t.test('what wrk says is understood', async (t) => {
  const said = `Running 2s test @ http://127.0.0.1:1/
  Latency Distribution
     50%  812.00us
     99%    3.25ms
  1000 requests in 2.00s, 1.00MB read
  Socket errors: connect 0, read 2, write 0, timeout 1
  Non-2xx or 3xx responses: 10
`;
  t.same(readWrkOutput(said), { requests: 990, failed: 13, seconds: 2, p50Ms: 0.812, p99Ms: 3.25 });
  t.throws(() => readWrkOutput('unable to connect'), /unable to connect/);
});

t.test('options are checked, and cores read', async (t) => {
  const names = ['one', 'two'];
  t.match(parseOptions(['--only', 'one,two', '--rounds', '5'], names), {
    only: names,
    rounds: 5,
    quick: false,
  });
  t.throws(() => parseOptions(['--only', 'three'], names), /no such workload: three/);
  t.throws(() => parseOptions(['--seconds', '0'], names), /--seconds/);
  t.throws(() => parseOptions(['--write-docs', '--quick'], names), /whole run/);
  t.same(parseCoreList('0-2,5'), [0, 1, 2, 5]);
});
