/** A kept connection that its origin closes as the next request comes (RFC 9112 §9.3.1). */
import t, { type Test } from 'tap';
import { formatRequest } from '../../helpers/raw-client.ts';
import { type OriginHandler, type ScriptedOrigin, startOrigin } from '../../helpers/scripted-origin.ts';
import { answerOk } from '../proxied-origin.ts';
import { type ScriptedClusters, startScriptedClusters } from '../scripted-clusters.ts';
import { createUpstream, send } from './upstream-client.ts';

const ENDS = ['close', 'reset'] as const;

/** A cluster for each test, with one attempt a request. */
const plan = { retry: { attempts: 1 }, pool: { maxConnections: 1 } };
const proxy: ScriptedClusters = await startScriptedClusters(t, {
  repeats: plan,
  refuses: plan,
  replays: plan,
  'lost-twice': plan,
  retries: { ...plan, retry: { attempts: 2 } },
});

t.test('the engine tells it from other losses', async (t) => {
  for (const end of ENDS) {
    const origin = await startOrigin(answerOk, { owner: t });
    const upstream = createUpstream(t, origin.url);
    const isStale = async (handler: OriginHandler): Promise<boolean | undefined> => {
      origin.handler = handler;
      const { outcome, failure } = await send(upstream).over;
      t.equal(outcome, 'RESET');
      t.equal(failure?.condition, 'reset');
      return failure?.isStale;
    };
    t.equal(await isStale((_, connection) => connection[end]()), false, `${end}: a new connection`);
    origin.handler = answerOk;
    await send(upstream).over;
    t.equal(await isStale((_, connection) => connection[end]()), true, `${end}: a kept one`);
    origin.handler = answerOk;
    await send(upstream).over;
    const begins: OriginHandler = (_, connection) => {
      connection.write('HTTP/1.1 2');
      connection[end]();
    };
    t.equal(await isStale(begins), false, `${end}: a kept one, but the answer had begun`);
  }
});

t.test('an answer that makes no sense is no sign of it', async (t) => {
  const origin = await startOrigin(answerOk, { owner: t });
  const upstream = createUpstream(t, origin.url);
  await send(upstream).over;
  origin.handler = (_, connection) => connection.write('rubbish\r\n\r\n');
  const { outcome, failure } = await send(upstream).over;
  t.same([outcome, failure?.isStale], ['PROTOCOL', false]);
});

/** Makes the gateway keep a connection to the origin, which then ends as the next request comes on it. */
async function makeStale(
  cluster: string,
  end: (typeof ENDS)[number],
  then = answerOk,
): Promise<ScriptedOrigin> {
  const origin = proxy.origin(cluster);
  origin.handler = answerOk;
  await proxy.request(formatRequest('GET', `/${cluster}/`));
  const kept = origin.requests.at(-1)?.connectionNumber;
  origin.handler = async (request, connection) => {
    if (request.connectionNumber !== kept) {
      then(request, connection);
      return;
    }
    // With a body, once that has come: what is lost is then the answer.
    if (request.header('content-length') !== undefined) await request.ended;
    connection[end]();
  };
  return origin;
}

/** How often the cluster's origin was to blame for anything so far, as the metrics have it. */
async function countBlame(cluster: string): Promise<readonly number[]> {
  const code = 'GW_ERR_UPSTREAM_RESET';
  return [
    await proxy.count('retries_total', cluster),
    await proxy.count('upstream_errors_total', cluster, { code }),
  ];
}

async function tryOnce(t: Test, text: string, expected: readonly [number, number]) {
  const response = await proxy.request(text);
  t.same([response.status, (await proxy.logged(response)).attempts], expected, text.slice(0, 40));
  return response;
}

t.test('a request that may be repeated goes again, and that is no retry', async (t) => {
  for (const end of ENDS) {
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      const origin = await makeStale('repeats', end);
      await tryOnce(t, formatRequest(method, '/repeats/'), [200, 2]);
      const [lost, again] = origin.requests.slice(-2);
      t.not(lost?.connectionNumber, again?.connectionNumber);
    }
  }
  t.same(await countBlame('repeats'), [0, 0]);
});

t.test('one that may not fails', async (t) => {
  for (const end of ENDS) {
    for (const method of ['POST', 'PATCH']) {
      const origin = await makeStale('refuses', end);
      const before = origin.requests.length;
      const response = await tryOnce(t, formatRequest(method, '/refuses/', {}, 'body'), [502, 1]);
      t.match(response.text, '"code":"GW_ERR_UPSTREAM_RESET"');
      t.equal(origin.requests.length, before + 1);
    }
  }
  t.same(await countBlame('refuses'), [0, 4]);
});

t.test('a body that is remembered goes again with it, a larger one does not', async (t) => {
  const bodies = ['small', 'x'.repeat(60_000)];
  for (const body of bodies) {
    const origin = await makeStale('replays', 'close', async (request, connection) => {
      await request.ended;
      connection.answer({ body: request.text === body ? 'whole' : 'something else' });
    });
    const response = await tryOnce(t, formatRequest('PUT', '/replays/', {}, body), [200, 2]);
    t.equal(response.text, 'whole', `${body.length} bytes`);
    t.equal(origin.requests.at(-2)?.text, body, 'it had been sent before');
  }
  await makeStale('replays', 'close');
  await tryOnce(t, formatRequest('PUT', '/replays/', {}, 'x'.repeat(200_000)), [502, 1]);
});

t.test('a new connection that is lost too is a failure as any other', async (t) => {
  const origin = await makeStale('lost-twice', 'close', (_, connection) => connection.close());
  const before = origin.requests.length;
  await tryOnce(t, formatRequest('GET', '/lost-twice/'), [502, 2]);
  t.equal(origin.requests.length, before + 2);
  t.same(await countBlame('lost-twice'), [0, 1]);
});

t.test('the attempts that the cluster allows are still there after it', async (t) => {
  let lost = 0;
  await makeStale('retries', 'close', (request, connection) => {
    lost += 1;
    if (lost === 1) connection.close();
    else answerOk(request, connection);
  });
  await tryOnce(t, formatRequest('GET', '/retries/'), [200, 3]);
  t.same(await countBlame('retries'), [1, 1]);
});
