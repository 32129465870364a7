/** An instance that finds an invalid configuration and knows no other: it has nothing, and so may not write over it. */
import t from 'tap';
import { AdminClient } from '../helpers/admin-client.ts';
import { routeTo } from '../helpers/fleet.ts';
import { launchGateway } from '../helpers/gateway-process.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { findServerPort } from '../helpers/server-port.ts';
import { openStore, publish, publishByHand, storedAgreement } from '../helpers/store-client.ts';
import { get } from '../helpers/worker-processes.ts';

/** Of a gateway on a busy machine. */
const START_LIMIT_MS = 40_000;
const ORIGIN = { destinations: { only: { url: 'http://127.0.0.1:9' } } };

t.test(
  'what is invalid in the store stays there until somebody replaces all of it, or mends it',
  async (t) => {
    const redis = await startRedis(t);
    const store = await openStore(t, redis);
    await publish(
      store,
      { op: 'put', kind: 'cluster', id: 'origin', value: ORIGIN },
      { op: 'put', kind: 'route', id: 'good', value: routeTo('/good') },
    );
    const bad = JSON.stringify({ match: { path: '/bad' }, cluster: 'nowhere' });
    await publishByHand(redis, [['route', 'bad', bad]]);
    const before = await store.read();

    const port = await findServerPort();
    const flags = ['--redis', redis.url, '--instance', 'one'];
    const gateway = await launchGateway(t, { admin: `127.0.0.1:${port}`, flags });
    const admin = new AdminClient(() => port, gateway.stateDirectory);
    await gateway.waitForLog(({ msg }) => msg === 'configuration refused', START_LIMIT_MS);
    await gateway.waitForLog(({ msg }) => msg?.startsWith('no configuration yet') === true);
    t.equal((await get(port, '/readyz')).status, 503);
    t.match(await admin.status(), { ready: false, configuration: { refused: { revision: 2 } } });

    const writes = [
      await admin.put('clusters', 'new', ORIGIN),
      await admin.write('POST', 'changes', { body: { ops: [] } }),
      await admin.write('PUT', 'routes', { body: {} }),
      await admin.write('POST', 'rollback', { body: { revision: 1 } }),
    ];
    for (const { status, body } of writes) {
      t.match({ status, body }, { status: 503, body: { detail: /no configuration/ } }, JSON.stringify(body));
    }
    t.same(await store.read(), before, 'nothing is lost');

    const document = { clusters: { origin: ORIGIN }, routes: { good: routeTo('/good') } };
    const replaced = await admin.write('PUT', 'config', { body: document });
    t.match(replaced, { status: 200, body: { changed: true, revision: 3 } }, JSON.stringify(replaced.body));
    await gateway.waitForLog(({ msg }) => msg === 'gateway ready', START_LIMIT_MS);
    const { configuration } = await admin.status();
    t.match(await storedAgreement(store), { revision: 3, fingerprint: configuration.fingerprint });
  },
);
