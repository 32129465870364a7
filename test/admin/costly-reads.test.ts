/** What costs much to answer cannot be asked for many times at once. */
import t from 'tap';
import { ControlError } from '../../lib/admin/control-plane.ts';
import { ERRORS } from '../../lib/core/errors.ts';
import { connect, formatRequest, type RawClient, request } from '../helpers/raw-client.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { formatCall, type StartedAdmin, startAdmin } from './started-admin.ts';

async function askForHistory(owner: TestOwner, admin: StartedAdmin): Promise<RawClient> {
  const client = await connect(admin.port, { owner });
  client.send(formatCall(admin.tokens, 'GET', '/api/gateway/history'));
  await client.flushed();
  return client;
}

/** Later than what was sent before on connections that stand. */
async function passTime(admin: StartedAdmin): Promise<void> {
  for (let count = 0; count < 5; count += 1) await admin.call('GET', 'status');
}

/** Reads of the history wait for `release`; `most` is how many were under way at once. */
function holdHistory(admin: StartedAdmin) {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const seen = { most: 0, begun: 0, release };
  let underWay = 0;
  admin.controlPlane.beforeHistory = async () => {
    underWay += 1;
    seen.begun += 1;
    seen.most = Math.max(seen.most, underWay);
    await promise;
    underWay -= 1;
  };
  return seen;
}

t.test('the history is read for one after the other', async (t) => {
  const admin = await startAdmin(t);
  const seen = holdHistory(admin);
  const clients: RawClient[] = [];
  for (let count = 0; count < 5; count += 1) clients.push(await askForHistory(t, admin));
  await passTime(admin);
  t.equal(seen.begun, 1);
  clients[2]?.close();
  seen.release();
  for (const client of clients.filter((_, index) => index !== 2)) {
    t.equal((await client.readResponse()).status, 200);
  }
  t.equal(seen.most, 1);
});

t.test('only some may wait for it', async (t) => {
  const admin = await startAdmin(t);
  const seen = holdHistory(admin);
  const clients: RawClient[] = [];
  for (let count = 0; count < 17; count += 1) clients.push(await askForHistory(t, admin));
  await passTime(admin);
  const refused = await admin.call('GET', 'history');
  t.same([refused.status, JSON.parse(refused.text).code], [503, 'GW_ERR_BUSY']);
  seen.release();
  for (const client of clients) t.equal((await client.readResponse()).status, 200);
  t.equal((await admin.call('HEAD', 'history')).status, 200);
  t.equal((await admin.call('GET', 'history')).status, 200);
});

t.test('a read that fails keeps nobody waiting', async (t) => {
  const admin = await startAdmin(t);
  admin.controlPlane.failure = new ControlError(ERRORS.storeUnavailable, 'no answer');
  for (let count = 0; count < 3; count += 1) t.equal((await admin.call('GET', 'history')).status, 503);
  admin.controlPlane.failure = null;
  t.equal((await admin.call('GET', 'history')).status, 200);
});

t.test('history goes out in pieces that are one document', async (t) => {
  const admin = await startAdmin(t);
  const cluster = (port: number) => ({ destinations: { d: { url: `http://127.0.0.1:${port}` } } });
  await admin.call('PUT', 'clusters', { body: { a: cluster(1), b: cluster(2) } });
  await admin.call('DELETE', 'clusters/a');
  const response = await admin.call('GET', 'history');
  t.equal(response.header('transfer-encoding'), 'chunked');
  t.match(response.header('content-type'), 'application/json');
  t.same(JSON.parse(response.text), { entries: await admin.controlPlane.history(50) });
});

t.test('who asks for metrics while they are gathered gets the same', async (t) => {
  const admin = await startAdmin(t);
  let rendered = 0;
  const held = Promise.withResolvers<void>();
  admin.renderMetrics = async () => {
    rendered += 1;
    const text = `# ${rendered}\n`;
    await held.promise;
    return text;
  };
  const clients = [await connect(admin.port, { owner: t }), await connect(admin.port, { owner: t })];
  for (const client of clients) client.send(formatRequest('GET', '/metrics'));
  await passTime(admin);
  held.resolve();
  for (const client of clients) t.equal((await client.readResponse()).text, '# 1\n');
  t.equal((await request(admin.port, formatRequest('GET', '/metrics'))).text, '# 2\n', 'and later a new one');
  admin.renderMetrics = async () => {
    throw new Error('no');
  };
  t.equal((await request(admin.port, formatRequest('GET', '/metrics'))).status, 500);
  admin.renderMetrics = async () => '# back\n';
  t.equal(
    (await request(admin.port, formatRequest('GET', '/metrics'))).text,
    '# back\n',
    'nor is a failure kept',
  );
});
