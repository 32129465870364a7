/** Bodies that are here before their requests may be sent, as those wait at a gate. */
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { answerOk, outcome, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t, {
  routes: { all: { limits: { maxBodyBytes: 10, maxConcurrent: 1, maxWaiting: 5, maxWaitMs: 20_000 } } },
  cluster: { pool: { maxConnections: 3, maxQueued: 2 } },
});

const HEAD = formatRequest('PUT', '/kept', { 'Transfer-Encoding': 'chunked' });

/** Holds the gate with a request of its own until it is opened; the connection to the origin is free behind it. */
async function closeGate(): Promise<() => Promise<void>> {
  const { promise, resolve } = Promise.withResolvers<OriginConnection>();
  proxied.origin.handler = (request, connection) => {
    if (request.target === '/gate') resolve(connection);
    else answerOk(request, connection);
  };
  const gate = proxied.request(formatRequest('GET', '/gate'));
  const connection = await promise;
  return async () => {
    connection.answer({ body: 'open' });
    await gate;
  };
}

for (const [what, body, expected] of [
  ['fits', '5\r\nthat \r\n4\r\nfits\r\n0\r\n\r\n', [200, null]],
  ['is too large in one piece', '14\r\n01234567890123456789\r\n0\r\n\r\n', [413, 'GW_ERR_BODY_TOO_LARGE']],
  ['grows too large', '5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n', [413, 'GW_ERR_BODY_TOO_LARGE']],
  ['is too large and goes on', '5\r\n01234\r\n6\r\n567890\r\n', [413, 'GW_ERR_BODY_TOO_LARGE']],
] as const) {
  t.test(`a kept body that ${what}`, async (t) => {
    // More often than there are connections: none of them may be lost.
    for (let count = 0; count < 5; count += 1) {
      const open = await closeGate();
      const client = await proxied.connect(t);
      const seen = proxied.origin.requests.length;
      client.send(HEAD + body);
      await client.flushed();
      // The worker is asked in between, so that it has read what stands above.
      await proxied.gateway.metrics();
      await open();
      const response = await client.readResponse();
      if (expected[0] === 200) t.equal(response.text, 'ok');
      else t.same(outcome(response), expected);
      client.close();
      // What went to the origin before that has come.
      t.equal((await proxied.request(formatRequest('GET', '/'))).text, 'ok');
      const kept = proxied.origin.requests.slice(seen).filter(({ method }) => method === 'PUT');
      const ends = await Promise.all(kept.map(({ ended }) => ended));
      t.same(
        ends.filter((end) => end === 'complete'),
        expected[0] === 200 ? ['complete'] : [],
        'none looks whole that is not',
      );
    }
  });
}
