import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { waitForMetrics } from '../helpers/worker-processes.ts';
import { startProxiedOrigin } from './proxied-origin.ts';

const proxy = await startProxiedOrigin(t, { accessLog: 'on' });

t.test(
  'requests whose turn never came, as their client went away, are not counted as under way, nor as over',
  async (t) => {
    proxy.origin.handler = () => {};
    const client = await proxy.connect(t);
    const arrived = proxy.origin.requestArrived();
    client.send(
      formatRequest('GET', '/hangs') + formatRequest('GET', '/second') + formatRequest('GET', '/third'),
    );
    await arrived;
    const logged = proxy.gateway.waitForNextLog(({ msg, status }) => msg === 'request' && status === 499);
    client.reset();
    await logged;
    const { response } = await proxy.exchange(formatRequest('GET', '/after'));
    t.equal(response.text, 'ok');
    const isOver = ({ msg, path }: { msg?: string; path?: unknown }) =>
      msg === 'request' && path === '/after';
    await proxy.gateway.waitForLog(isOver);
    const paths = proxy.gateway.logs.filter(({ msg }) => msg === 'request').map(({ path }) => path);
    t.same(paths, ['/hangs', '/after']);
    const counts = await waitForMetrics(proxy.gateway, (seen) =>
      [...seen].some(
        ([name, value]) => name.startsWith('gateway_requests_total{') && name.includes('200') && value === 1,
      ),
    );
    const inFlight = [...counts].filter(([name]) => name.startsWith('gateway_requests_in_flight'));
    t.ok(inFlight.length > 0);
    for (const [name, value] of inFlight) t.equal(value, 0, name);
  },
);
