/** Origins over TLS: sessions are resumed as long as nothing has changed, and each failure has its name. */
import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureVersion, TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { Materials } from '../../../lib/auth/materials.ts';
import { startOrigin } from '../../helpers/scripted-origin.ts';
import { answerOk } from '../proxied-origin.ts';
import { createAuthority } from '../tls/test-authority.ts';
import { createUpstream, HeldBody, outcomeOf, send, settle } from './upstream-client.ts';

const [authority, another] = await Promise.all([createAuthority(t, 'known'), createAuthority(t, 'another')]);
const [localhost, elsewhere, expired] = await Promise.all([
  authority.issue({ names: ['localhost'] }),
  authority.issue({ names: ['elsewhere.test'] }),
  authority.issue({ names: ['localhost'], expired: true }),
]);

/** What a cluster's TLS settings name as its authority. */
const CA = 'CA_OF_ORIGIN';

/** @param ca PEM; null: it could not be got */
function trusting(ca: string | null): Materials {
  const materials = new Materials(() => {});
  materials.take([{ name: `env:${CA}`, value: ca }]);
  return materials;
}

/** A server on Node's own TLS, which knows its sessions; every answer closes its connection. */
async function startServer(t: Test, maxVersion: SecureVersion) {
  const resumed: boolean[] = [];
  const server = createServer({ ...localhost, maxVersion }, (incoming, answer) => {
    resumed.push((incoming.socket as TLSSocket).isSessionReused());
    answer.setHeader('connection', 'close');
    answer.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { resumed, url: `https://localhost:${(server.address() as AddressInfo).port}` };
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`${version}: a session is resumed with the same settings, and forgotten with others`, async (t) => {
    const { resumed, url } = await startServer(t, version);
    const materials = trusting(authority.ca);
    const upstream = createUpstream(t, url, { tls: { caEnv: CA }, materials });
    const request = async (count: number) => {
      for (let index = 0; index < count; index += 1) t.equal(await outcomeOf(send(upstream)), '200 ok');
    };
    await request(3);
    materials.take([{ name: `env:${CA}`, value: `${another.ca}${authority.ca}` }]);
    await request(2);
    t.same(resumed, [false, true, true, false, true]);
    materials.take([{ name: `env:${CA}`, value: another.ca }]);
    t.equal(await outcomeOf(send(upstream)), 'TLS', 'nor is one resumed whose origin is no longer trusted');
    t.equal(resumed.length, 5);
  });
}

t.test('two upstreams to the same address know nothing of each other', async (t) => {
  const { resumed, url } = await startServer(t, 'TLSv1.3');
  for (let index = 0; index < 2; index += 1) {
    const upstream = createUpstream(t, url, { tls: { caEnv: CA }, materials: trusting(authority.ca) });
    t.equal(await outcomeOf(send(upstream)), '200 ok');
  }
  const unverified = createUpstream(t, url, { tls: { insecureSkipVerify: true } });
  t.equal(await outcomeOf(send(unverified)), '200 ok');
  t.same(resumed, [false, false, false]);
});

t.test('a connection is used again, with bodies both ways', async (t) => {
  const origin = await startOrigin(
    async (request, connection) => {
      await request.ended;
      connection.answer({ body: request.text });
    },
    { owner: t, tls: localhost },
  );
  const url = `https://localhost:${origin.port}`;
  const upstream = createUpstream(t, url, { tls: { caEnv: CA }, materials: trusting(authority.ca) });
  for (const text of ['', 'body', 'x'.repeat(300_000)]) {
    const sent = send(upstream, '/', { method: 'PUT', body: new HeldBody([text]) });
    t.ok((await outcomeOf(sent)) === `200 ${text}`, `${text.length} bytes`);
  }
  t.equal(origin.acceptedConnections, 1);
});

for (const [what, served, ca] of [
  ['an authority that is not trusted', localhost, another.ca],
  ['no authority at hand', localhost, null],
  ['another name', elsewhere, authority.ca],
  ['a time that is over', expired, authority.ca],
] as const) {
  t.test(`a certificate of ${what}: nothing is sent`, async (t) => {
    const origin = await startOrigin(answerOk, { owner: t, tls: served });
    const url = `https://localhost:${origin.port}`;
    const upstream = createUpstream(t, url, {
      tls: { caEnv: CA },
      materials: trusting(ca),
      maxConnections: 1,
    });
    for (const sent of [send(upstream), send(upstream)]) {
      t.equal(await outcomeOf(sent), 'TLS');
      t.same([sent.told, sent.failure?.condition], [['failure'], 'connect']);
    }
    t.equal(origin.requests.length, 0);
    await settle();
  });
}

t.test('an origin that does not speak TLS', async (t) => {
  const server = createPlainServer((_, answer) => answer.end('ok'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const upstream = createUpstream(t, `https://localhost:${(server.address() as AddressInfo).port}`);
  t.equal(await outcomeOf(send(upstream)), 'TLS');
  await settle();
});

t.test('a request that is given up while its settings are awaited makes no connection', async (t) => {
  const origin = await startOrigin(answerOk, { owner: t, tls: localhost });
  const materials = new Materials(() => {});
  const url = `https://localhost:${origin.port}`;
  const upstream = createUpstream(t, url, { tls: { caEnv: CA }, materials, maxConnections: 1 });
  const [first, second] = [send(upstream), send(upstream)];
  first.exchange.abort();
  materials.take([{ name: `env:${CA}`, value: authority.ca }]);
  t.equal(await outcomeOf(second), '200 ok');
  t.same([first.told, origin.acceptedConnections], [[], 1]);
});
