/** Changing the configuration: documents, collections, entries and operations, and the terms of a write. */
import t from 'tap';
import type { ChangeOrder } from '../../lib/admin/control-plane.ts';
import { ControlError } from '../../lib/admin/control-plane.ts';
import { documentOf, EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import { ERRORS } from '../../lib/core/errors.ts';
import { startAdmin } from './started-admin.ts';

const cluster = (port: number) => ({ destinations: { d: { url: `http://127.0.0.1:${port}` } } });
const route = (path: string) => ({ match: { path }, cluster: 'c' });

t.test('a document is replaced and read back', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  const document = { clusters: { c: cluster(1) }, routes: { b: route('/b'), a: route('/a') } };
  const written = await call('PUT', 'config?message=first', { body: document });
  const receipt = JSON.parse(written.text);
  t.same([written.status, written.header('etag'), receipt.revision], [200, '"8"', 8]);
  t.same([receipt.changed, receipt.complete, receipt.difference.length], [true, true, 3]);
  const read = await call('GET', 'config', { as: 'reader' });
  t.same(JSON.parse(read.text), { ...document, issuers: {}, consumers: {}, certificates: {} });
  t.same([read.header('etag'), read.header('x-gateway-revision-id')], ['"8"', 'id-8']);
  t.match(read.header('content-type'), 'application/json');
  const order = controlPlane.orders.at(-1) as ChangeOrder;
  const { actor, message, dryRun, wait, timeoutMs } = order;
  t.same(
    { actor, message, dryRun, wait, timeoutMs },
    {
      actor: 'admin-token',
      message: 'first',
      dryRun: false,
      wait: 'instance',
      timeoutMs: 5_000,
    },
  );
  t.notOk('expectedRevision' in order);
});

t.test('single entries are created, read, replaced and deleted', async (t) => {
  const { call } = await startAdmin(t);
  t.equal((await call('PUT', 'clusters/c', { body: cluster(1) })).status, 201);
  const created = await call('PUT', 'routes/a', { body: route('/a') });
  t.same([created.status, created.header('location')], [201, '/api/gateway/routes/a']);
  t.equal((await call('PUT', 'routes/a', { body: route('/b') })).status, 200);
  const read = await call('GET', 'routes/a');
  t.same([read.status, read.header('etag'), JSON.parse(read.text)], [200, '"10"', route('/b')]);
  t.equal((await call('DELETE', 'routes/a')).status, 200);
  for (const method of ['GET', 'DELETE']) {
    const gone = await call(method, 'routes/a');
    t.same([gone.status, JSON.parse(gone.text).detail], [404, 'there is no route "a"'], method);
  }
  const bad = await call('PUT', 'routes/a%2Fb', { body: route('/a') });
  t.same([bad.status, JSON.parse(bad.text).problems[0].pointer], [400, '/id']);
});

t.test('a name that every object has is an id like any other', async (t) => {
  const { call } = await startAdmin(t);
  t.equal((await call('GET', 'clusters/toString')).status, 404);
  t.equal((await call('PUT', 'clusters/toString', { body: cluster(1) })).status, 201);
  t.same(JSON.parse((await call('GET', 'clusters')).text), { toString: cluster(1) });
});

t.test('a collection is replaced as one step, and others stay', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  await call('PUT', 'config', {
    body: { clusters: { c: cluster(1) }, routes: { a: route('/a'), b: route('/b') } },
  });
  const replaced = await call('PUT', 'routes', { body: { b: route('/b2'), x: route('/x') } });
  const { difference } = JSON.parse(replaced.text);
  const actions = Object.fromEntries(
    difference.map(({ id, action }: { id: string; action: string }) => [id, action]),
  );
  t.same(actions, { a: 'remove', b: 'change', x: 'add' });
  const collection = await call('GET', 'routes');
  t.same(JSON.parse(collection.text), { b: route('/b2'), x: route('/x') });
  t.equal(collection.header('etag'), '"9"');
  t.equal((await call('DELETE', 'routes')).status, 200);
  const left = { ...EMPTY_CONFIGURATION, clusters: new Map([['c', cluster(1)]]) };
  t.same(documentOf(controlPlane.current().configuration), documentOf(left));
});

t.test('issuers, consumers and certificates are written and read like clusters and routes', async (t) => {
  const { call } = await startAdmin(t);
  const entries: [collection: string, id: string, value: object][] = [
    [
      'issuers',
      'main',
      { issuer: 'idp', audience: ['a'], algorithms: ['ES256'], jwksUrl: 'https://idp.example.com/jwks' },
    ],
    ['consumers', 'shop', { apiKeys: [{ hash: `sha256:${'0'.repeat(64)}` }] }],
    ['certificates', '*.example.com', { certFile: '/tls/cert.pem', keyEnv: 'TLS_KEY' }],
    ['certificates', 'default', { certFile: '/tls/cert.pem', keyEnv: 'TLS_KEY' }],
  ];
  for (const [collection, id, value] of entries) {
    for (const name of new Set([id, encodeURIComponent(id), id.replace('*', '%2A')])) {
      t.match((await call('PUT', `${collection}/${name}`, { body: value })).status, /^20[01]$/, name);
      t.same(JSON.parse((await call('GET', `${collection}/${name}`, { as: 'reader' })).text), value, name);
    }
    t.same(JSON.parse((await call('GET', collection)).text)[id], value);
  }
  const refused = await call('PUT', 'certificates/*.com', { body: { certFile: '/c', keyFile: '/k' } });
  t.match(JSON.parse(refused.text), { status: 422, problems: [{ pointer: '/certificates/*.com' }] });
  t.equal((await call('DELETE', 'certificates/*.example.com')).status, 200);
  t.same(Object.keys(JSON.parse((await call('GET', 'certificates')).text)), ['default']);
});

t.test('a collection is replaced by what the control plane finds when it is its turn', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  await call('PUT', 'config', { body: { clusters: { c: cluster(1) } } });
  const intrude = () => {
    controlPlane.beforeWrite = () => {};
    const { configuration } = controlPlane.current();
    controlPlane.set({
      ...configuration,
      clusters: new Map([...configuration.clusters, ['other', cluster(2)]]),
    });
  };
  controlPlane.beforeWrite = intrude;
  t.equal((await call('PUT', 'clusters', { body: { c: cluster(3) } })).status, 200);
  const replacement = controlPlane.orders.at(-1) as ChangeOrder;
  t.same(replacement.content, { kind: 'cluster', entries: { c: cluster(3) } });
  t.notOk('expectedRevision' in replacement, 'no condition but that of the client');
  t.same(
    [...controlPlane.current().configuration.clusters.keys()],
    ['c'],
    'the one that came in between is gone',
  );
  controlPlane.beforeWrite = intrude;
  const { revision } = controlPlane.current().head;
  const refused = await call('DELETE', 'clusters', { headers: { 'If-Match': `"${revision}"` } });
  t.equal(refused.status, 412, 'but not where the client had its own condition');
});

t.test('several operations are one step', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  const ops = [
    { op: 'put', kind: 'cluster', id: 'c', value: cluster(1) },
    { op: 'put', kind: 'route', id: 'a', value: route('/a') },
  ];
  const response = await call('POST', 'changes', { body: { ops, message: 'both' } });
  t.same([response.status, JSON.parse(response.text).revision], [200, 8]);
  const order = controlPlane.orders.at(-1) as ChangeOrder;
  t.same([order.content, order.message], [{ operations: ops }, 'both']);
});

t.test('the options of a write reach the control plane', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  const options = 'dryRun=true&wait=all&timeoutMs=60000';
  const dry = await call('PUT', `clusters/c?${options}`, { body: cluster(1) });
  t.same([dry.status, JSON.parse(dry.text).changed], [200, false], 'and a dry run creates nothing');
  const { dryRun, wait, timeoutMs } = controlPlane.orders.at(-1) as ChangeOrder;
  t.same({ dryRun, wait, timeoutMs }, { dryRun: true, wait: 'all', timeoutMs: 60_000 });
  t.equal(controlPlane.current().head.revision, 7);
});

const BAD_QUERIES: readonly (readonly [string, string, RegExp])[] = [
  ['dryrun=true', '/dryrun', /did you mean dryRun\?/],
  ['dryRun=1', '/dryRun', /must be true or false/],
  ['dryRun=TRUE', '/dryRun', /must be true or false/],
  ['dryRun=true&dryRun=false', '/dryRun', /must be true or false/],
  ['dryRun', '/dryRun', /must be true or false/],
  ['wait=everybody', '/wait', /one of none, instance, all/],
  ['timeoutMs=60001', '/timeoutMs', /from 0 to 60000/],
  ['timeoutMs=-1', '/timeoutMs', /from 0 to 60000/],
  ['timeoutMs=1e3', '/timeoutMs', /from 0 to 60000/],
  [`message=${'x'.repeat(1_001)}`, '/message', /at most 1000/],
  ['__proto__=1', '/__proto__', /unknown key/],
  ['constructor=1', '/constructor', /unknown key/],
  ['toString=1', '/toString', /unknown key/],
];

t.test('an option that is misspelled never makes a real write of a dry one', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  for (const [query, pointer, words] of BAD_QUERIES) {
    const response = await call('PUT', `config?${query}`, { body: {} });
    const { code, problems } = JSON.parse(response.text);
    t.same([response.status, code], [400, 'GW_ERR_INVALID_REQUEST'], query.slice(0, 40));
    if (pointer !== '') t.equal(problems[0].pointer, pointer);
    t.match(JSON.stringify(problems), words);
  }
  t.equal(controlPlane.orders.length, 0);
});

t.test('202 where somebody did not confirm in time', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  controlPlane.confirms = false;
  const response = await call('PUT', 'clusters/c', { body: cluster(1) });
  const { complete, applied } = JSON.parse(response.text);
  t.same([response.status, complete, applied[0].ok], [202, false, false]);
  t.equal((await call('PUT', 'clusters/c?wait=none', { body: cluster(2) })).status, 200);
});

t.test('a configuration that is not valid is refused with every problem', async (t) => {
  const { call } = await startAdmin(t);
  const body = {
    routes: { a: { match: { pth: '/a' }, cluster: 'c' }, b: { match: {}, cluster: 1 } },
    rutes: {},
  };
  const response = await call('PUT', 'config', { body });
  const { code, problems } = JSON.parse(response.text);
  t.same([response.status, code], [422, 'GW_ERR_INVALID_CONFIGURATION']);
  const pointers = problems.map(({ pointer }: { pointer: string }) => pointer);
  for (const pointer of ['/routes/a/match/pth', '/routes/b/cluster', '/rutes'])
    t.ok(pointers.includes(pointer), pointer);
  t.equal((await call('PUT', 'routes/a', { body: { match: {}, cluster: 'none' } })).status, 422);
});

t.test('what the control plane refuses is answered as it says', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  controlPlane.failure = new ControlError(ERRORS.readOnly, 'a file is the configuration', {
    file: 'gateway.yaml',
  });
  const refused = await call('POST', 'changes', { body: { ops: [] } });
  const { status, code, detail, file, requestId } = JSON.parse(refused.text);
  t.same(
    [status, code, detail, file],
    [409, 'GW_ERR_READ_ONLY', 'a file is the configuration', 'gateway.yaml'],
  );
  t.equal(requestId, refused.header('x-request-id'));
  controlPlane.failure = new ControlError(ERRORS.storeUnavailable, 'no answer');
  for (const path of ['history', 'instances']) t.equal((await call('GET', path)).status, 503, path);
  t.equal((await call('POST', 'workers/restart')).status, 503);
});

t.test('what nobody foresaw tells nothing of the inside, but is in the log', async (t) => {
  const { call, controlPlane, logs } = await startAdmin(t);
  controlPlane.failure = new TypeError('secret of the inside');
  const response = await call('PUT', 'config', { body: {} });
  t.same([response.status, JSON.parse(response.text).code], [500, 'GW_ERR_INTERNAL']);
  t.notMatch(response.text, /secret|stack|\.ts/);
  const line = logs.find(({ msg }) => msg === 'the management API failed');
  t.match(line, { requestId: response.header('x-request-id'), err: { message: 'secret of the inside' } });
});

t.test('history and the way back', async (t) => {
  const { call, controlPlane } = await startAdmin(t);
  for (const port of [1, 2, 3]) await call('PUT', `clusters/c?message=to+${port}`, { body: cluster(port) });
  const entries = JSON.parse((await call('GET', 'history?limit=2')).text).entries;
  t.same(
    entries.map(({ revision, message, actor }: Record<string, unknown>) => [revision, message, actor]),
    [
      [10, 'to 3', 'admin-token'],
      [9, 'to 2', 'admin-token'],
    ],
  );
  t.equal(JSON.parse((await call('GET', 'history?before=9')).text).entries.length, 1);
  for (const query of ['limit=501', 'limit=0', 'before=x', 'page=2']) {
    t.equal((await call('GET', `history?${query}`)).status, 400, query);
  }
  const back = await call('POST', 'rollback', { body: { revision: 8, message: 'back' } });
  t.same([back.status, JSON.parse(back.text).revision], [200, 11]);
  t.same(controlPlane.current().configuration.clusters.get('c'), cluster(1));
  t.equal((await call('POST', 'rollback', { body: { revision: 1 } })).status, 404);
  t.equal((await call('POST', 'rollback?dryRun=true', { body: { revision: '8' } })).status, 400);
  t.equal(
    (await call('POST', 'rollback', { body: { revision: 8 }, headers: { 'If-Match': '3' } })).status,
    412,
  );
});
