/** What writes and reads may demand of what is there. */
import t from 'tap';
import { startAdmin } from './started-admin.ts';

const cluster = (port: number) => ({ destinations: { d: { url: `http://127.0.0.1:${port}` } } });

t.test('If-Match makes a write conditional', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  const put = (ifMatch: string) =>
    call('PUT', 'clusters/c', { body: cluster(1), headers: { 'If-Match': ifMatch } });
  const stale = await put('"6"');
  const problem = JSON.parse(stale.text);
  t.same([stale.status, problem.code, problem.currentRevision], [412, 'GW_ERR_REVISION_CONFLICT', 7]);
  t.equal(stale.header('etag'), '"7"', 'and where it stands is said');
  t.equal((await put('*')).status, 412, '* asks for something to replace');
  t.equal((await put('"7"')).status, 201);
  t.equal((await put('8')).status, 200, 'without quotes');
  t.equal((await put('*')).status, 200);
  const orders = controlPlane.orders.length;
  for (const bad of ['W/"8"', '"8", "9"', 'abc', '"abc"', '-1', '', '"8', '""']) {
    const response = await put(bad);
    t.same([response.status, JSON.parse(response.text).code], [400, 'GW_ERR_INVALID_REQUEST'], bad);
  }
  t.equal(controlPlane.orders.length, orders);
});

t.test('If-None-Match: * creates, and never replaces', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  const create = (headers: Record<string, string> = {}) =>
    call('PUT', 'clusters/c', { body: cluster(1), headers: { 'If-None-Match': '*', ...headers } });
  t.equal((await create()).status, 201);
  const refused = await create();
  t.same([refused.status, JSON.parse(refused.text).code], [412, 'GW_ERR_PRECONDITION_FAILED']);
  await call('DELETE', 'clusters/c');
  t.equal((await create({ 'If-Match': '"9"' })).status, 201, 'together with a revision');
  const orders = controlPlane.orders.length;
  t.equal((await create({ 'If-Match': '*' })).status, 400, 'not with its contrary');
  const useless: readonly (readonly [string, string, unknown?])[] = [
    ['PUT', 'config', {}],
    ['PUT', 'clusters', {}],
    ['DELETE', 'clusters'],
    ['DELETE', 'clusters/c'],
    ['POST', 'changes', { ops: [] }],
    ['POST', 'rollback', { revision: 8 }],
  ];
  for (const [method, path, body] of useless) {
    const response = await call(method, path, {
      headers: { 'If-None-Match': '*' },
      ...(body ? { body } : {}),
    });
    t.same(
      [response.status, JSON.parse(response.text).code],
      [400, 'GW_ERR_INVALID_REQUEST'],
      `${method} ${path}`,
    );
  }
  for (const tag of ['"8"', 'W/"8"', '*, "8"', '']) {
    t.equal((await create({ 'If-None-Match': tag })).status, 400, tag);
  }
  t.equal(controlPlane.orders.length, orders);
});

t.test('whether an entry is there is decided where the change is made', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  const appear = () => {
    controlPlane.beforeWrite = () => {};
    const { configuration } = controlPlane.current();
    controlPlane.set({ ...configuration, clusters: new Map([['c', cluster(9)]]) });
  };
  controlPlane.beforeWrite = appear;
  t.equal((await call('DELETE', 'clusters/c')).status, 200, 'what came in between is deleted');
  controlPlane.beforeWrite = appear;
  const put = await call('PUT', 'clusters/c', { body: cluster(1) });
  t.same([put.status, put.header('location')], [200, undefined], 'and replaced, not created');
  await call('DELETE', 'clusters/c');
  controlPlane.beforeWrite = appear;
  const headers = { 'If-None-Match': '*' };
  t.equal(
    (await call('PUT', 'clusters/c', { body: cluster(1), headers })).status,
    412,
    'and not overwritten',
  );
  await call('DELETE', 'clusters/c');
  controlPlane.beforeWrite = appear;
  const replace = { body: cluster(1), headers: { 'If-Match': '*' } };
  t.equal((await call('PUT', 'clusters/c', replace)).status, 200);
  await call('DELETE', 'clusters/c');
  const missing = await call('PUT', 'clusters/c', replace);
  t.same([missing.status, JSON.parse(missing.text).code], [412, 'GW_ERR_PRECONDITION_FAILED']);
});

t.test('a read that the client has already is not sent again', async (t) => {
  const { call } = await startAdmin(t);
  await call('PUT', 'clusters/c', { body: cluster(1) });
  for (const path of ['config', 'clusters', 'clusters/c']) {
    for (const [tag, status] of [
      ['"8"', 304],
      ['"7", W/"8"', 304],
      ['*', 304],
      ['"7"', 200],
      ['nonsense', 200],
    ] as const) {
      const response = await call('GET', path, { headers: { 'If-None-Match': tag } });
      t.equal(response.status, status, `${path} ${tag}`);
      t.equal(response.header('etag'), '"8"');
      if (status === 304) t.equal(response.text, '');
    }
  }
  t.equal((await call('GET', 'clusters/x', { headers: { 'If-None-Match': '*' } })).status, 404);
});
