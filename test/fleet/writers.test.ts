/** Many write at once, through different instances: nothing is lost, and nobody overwrites what he has not seen. */
import assert from 'node:assert/strict';
import t from 'tap';
import { routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { openStore, publish, storedAgreement } from '../helpers/store-client.ts';

const redis = await startRedis(t);
const fleet = await startFleet(t, { url: redis.url });
const store = await openStore(t, redis);

const WAIT_FOR_ALL = 'wait=all&timeoutMs=20000';

/** The changes since a revision, each made on the one before. */
async function assertChain(since: number, count: number): Promise<void> {
  const changes = await store.changesSince(since);
  assert.equal(changes?.length, count);
  changes.forEach((change, index) => {
    assert.equal(change.revision, since + index + 1);
    if (index > 0) assert.equal(change.parent, changes[index - 1]?.id);
  });
}

t.test('of two writers with If-Match exactly one succeeds, the other learns the revision', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const { revision } = await fleet.agree();
  const answers = await Promise.all(
    fleet.instances.map(({ name, admin }) =>
      admin.write('PUT', `routes/contended?${WAIT_FOR_ALL}`, {
        body: routeTo(`/contended-by-${name}`),
        ifMatch: revision,
      }),
    ),
  );
  const winner = answers.findIndex(({ status }) => status === 201);
  const loser = answers[1 - winner];
  t.same(answers.map(({ status }) => status).sort(), [201, 412], JSON.stringify(answers));
  t.match(loser?.body, { code: 'GW_ERR_REVISION_CONFLICT', currentRevision: revision + 1 });
  const after = await fleet.agree();
  t.equal(after.revision, revision + 1);
  const paths = fleet.instances.map(({ name }) => `/contended-by-${name}`);
  t.same(await fleet.statusOf(paths[winner] ?? ''), [200, 200]);
  t.same(await fleet.statusOf(paths[1 - winner] ?? ''), [404, 404]);

  const again = await fleet.instances[1 - winner]?.admin.write('PUT', `routes/contended?${WAIT_FOR_ALL}`, {
    body: routeTo(paths[1 - winner] ?? ''),
    ifMatch: loser?.body.currentRevision ?? 0,
  });
  t.equal(again?.status, 200, 'with the revision that he was told');
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

t.test('of two writers without If-Match both succeed, one after the other', async (t) => {
  const { revision } = await fleet.agree();
  const answers = await Promise.all(
    fleet.instances.map(({ name, admin }) =>
      admin.put('routes', `beside-${name}`, routeTo(`/beside-${name}`)),
    ),
  );
  t.same(
    answers.map(({ status }) => status),
    [201, 201],
    JSON.stringify(answers),
  );
  t.same(answers.map(({ body }) => body.revision).sort(), [revision + 1, revision + 2]);
  await assertChain(revision, 2);
  t.same(await storedAgreement(store), await fleet.agree());
  t.same(await fleet.statusOf('/beside-one'), [200, 200]);
  t.same(await fleet.statusOf('/beside-two'), [200, 200]);
});

t.test('fifty writes at once, through both instances: every one lands and is confirmed by all', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const { revision } = await fleet.agree();
  const ids = Array.from({ length: 50 }, (_, index) => `crowd-${index}`);
  const answers = await Promise.all(
    ids.map((id, index) => {
      const { admin } = index % 2 === 0 ? fleet.one : fleet.two;
      return admin.put('routes', id, routeTo(`/${id}`));
    }),
  );
  t.same(
    [...new Set(answers.map(({ status }) => status))],
    [201],
    JSON.stringify(answers.find(({ status }) => status !== 201)),
  );
  t.equal(new Set(answers.map(({ body }) => body.revision)).size, ids.length, 'a revision for each');
  await assertChain(revision, ids.length);
  const after = await fleet.agree();
  t.equal(after.revision, revision + ids.length);
  t.same(await storedAgreement(store), after);
  for (const id of ids) assert.deepEqual(await fleet.statusOf(`/${id}`), [200, 200], id);
  await traffic.assertUnharmed();
});

t.test('a console that writes all the while does not starve those who write through the API', async (t) => {
  const { revision } = await fleet.agree();
  let isWriting = true;
  let written = 0;
  const writing = (async () => {
    while (isWriting) {
      written += 1;
      await publish(store, {
        op: 'put',
        kind: 'route',
        id: 'restless',
        value: routeTo(`/restless-${written}`),
      });
    }
  })();
  const answers = [];
  for (const id of ['patient-1', 'patient-2', 'patient-3']) {
    answers.push(await fleet.one.admin.put('routes', id, routeTo(`/${id}`)));
  }
  isWriting = false;
  await writing;
  t.same(
    answers.map(({ status }) => status),
    [201, 201, 201],
    JSON.stringify(answers),
  );
  // What was written last may still be on its way while all agree on what was before it.
  await fleet.each(({ configuration }) =>
    assert.equal(configuration.revision, revision + written + answers.length),
  );
  const after = await fleet.agree();
  t.same(await storedAgreement(store), after);
});
