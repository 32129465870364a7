import t from 'tap';
import { connect, formatRequest, request } from '../helpers/raw-client.ts';
import { formatCall, type StartedAdmin, startAdmin } from './started-admin.ts';

const audited = ({ logs }: StartedAdmin) => logs.filter(({ audit }) => audit === true);
const CLUSTER = { destinations: { d: { url: 'http://127.0.0.1:1' } } };

t.test('a write leaves one line: who, from where, what, why, and what became of it', async (t) => {
  const admin = await startAdmin(t);
  const response = await admin.call('PUT', 'clusters/c?message=why&dryRun=false', { body: CLUSTER });
  const [line, ...others] = audited(admin);
  t.match(line, {
    msg: 'write',
    actor: 'admin-token',
    role: 'admin',
    address: '127.0.0.1',
    requestId: response.header('x-request-id'),
    method: 'PUT',
    path: '/api/gateway/clusters/c',
    message: 'why',
    revision: 8,
    dryRun: false,
    changed: true,
    targetRevision: null,
    status: 201,
    code: 'OK',
  });
  t.same(others, []);
});

t.test('a dry run is told from a write, and a rollback says where it went back to', async (t) => {
  const admin = await startAdmin(t);
  await admin.call('PUT', 'clusters/c?dryRun=true', { body: CLUSTER });
  await admin.call('PUT', 'clusters/c?dryRun=true', { body: 1 });
  await admin.call('PUT', 'clusters/c', { body: CLUSTER });
  await admin.call('PUT', 'clusters/c', { body: CLUSTER });
  await admin.call('DELETE', 'clusters/c');
  await admin.call('POST', 'rollback', { body: { revision: 8 } });
  await admin.call('POST', 'rollback', { body: { revision: 3 } });
  t.same(
    audited(admin).map(({ msg, dryRun, changed, targetRevision }) => [msg, dryRun, changed, targetRevision]),
    [
      ['write checked', true, false, null],
      ['write refused', true, null, null],
      ['write', false, true, null],
      ['write', false, false, null],
      ['write', false, true, null],
      ['write', false, true, 8],
      ['write refused', false, null, 3],
    ],
  );
});

t.test('what knows no dry run refuses one, and does not do it', async (t) => {
  const admin = await startAdmin(t);
  t.equal((await admin.call('POST', 'workers/restart?dryRun=true')).status, 400);
  t.equal((await admin.call('POST', 'health?dryRun=true', { body: { reports: [] } })).status, 400);
  t.equal(admin.controlPlane.restarts, 0);
});

t.test('reads leave none', async (t) => {
  const admin = await startAdmin(t);
  await admin.call('GET', 'config');
  await admin.call('GET', 'nothing');
  await admin.call('POST', 'explain', { body: { method: 'GET', url: '/' } });
  t.same(audited(admin), []);
});

t.test('a refused write leaves one too, whyever it was refused', async (t) => {
  const admin = await startAdmin(t);
  await admin.call('PUT', 'config', { as: 'reader', body: {} });
  await admin.call('PUT', 'config', { body: '{' });
  await admin.call('PUT', 'config', { body: { rutes: {} } });
  await admin.call('DELETE', 'routes/none?message=gone');
  await admin.call('PUT', 'config', { body: {}, headers: { 'If-Match': '1' } });
  await admin.call('POST', 'health', { as: 'operator', body: { reports: 1 } });
  t.same(
    audited(admin).map(({ msg, role, status, code }) => [msg, role, status, code]),
    [
      ['write refused', 'reader', 403, 'GW_ERR_FORBIDDEN'],
      ['write refused', 'admin', 400, 'GW_ERR_INVALID_REQUEST'],
      ['write refused', 'admin', 422, 'GW_ERR_INVALID_CONFIGURATION'],
      ['write refused', 'admin', 404, 'GW_ERR_NOT_FOUND'],
      ['write refused', 'admin', 412, 'GW_ERR_REVISION_CONFLICT'],
      ['write refused', 'operator', 400, 'GW_ERR_INVALID_REQUEST'],
    ],
  );
  t.equal(audited(admin)[3]?.message, 'gone');
});

t.test('a write whose client went away before the answer leaves one as well', async (t) => {
  const admin = await startAdmin(t);
  const held = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  admin.controlPlane.hold = held.promise;
  admin.controlPlane.beforeWrite = arrived.resolve;
  const client = await connect(admin.port, { owner: t });
  client.send(formatCall(admin.tokens, 'PUT', '/api/gateway/clusters/c', { body: CLUSTER }));
  await arrived.promise;
  client.reset();
  held.resolve();
  while (audited(admin).length === 0) await admin.call('GET', 'status');
  t.match(audited(admin)[0], { revision: 8, code: 'OK' });
});

t.test('a failed authentication leaves one, without the token, the query or endless paths', async (t) => {
  const admin = await startAdmin(t);
  const authorization = { Authorization: 'Bearer gwt_secretsecretsecret' };
  const target = `/api/gateway/${'x'.repeat(2_000)}?token=alsosecret`;
  await request(admin.port, formatRequest('DELETE', target, authorization));
  const [line] = audited(admin);
  t.match(line, {
    msg: 'authentication failed',
    method: 'DELETE',
    address: '127.0.0.1',
    code: 'GW_ERR_UNAUTHORIZED',
  });
  t.notMatch(JSON.stringify(admin.logs), /secretsecret|alsosecret/);
  t.ok(JSON.stringify(line).length < 1_000);
});

t.test('no line holds a body, and lines come whatever the level of the log', async (t) => {
  const admin = await startAdmin(t);
  await admin.call('PUT', 'config', {
    body: { clusters: { c: { destinations: { d: { url: 'http://hunter2' } } } } },
  });
  t.equal(audited(admin).length, 1, 'the level of this log is warn');
  t.notMatch(JSON.stringify(admin.logs), /hunter2/);
});
