/** Certificates are renewed under traffic: files are replaced, nothing is restarted, nothing fails. */
import { once } from 'node:events';
import { Agent, request as requestHttps } from 'node:https';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { eventually } from '../../helpers/eventually.ts';
import { formatRequest } from '../../helpers/raw-client.ts';
import { startSecureGateway } from './secure-gateway.ts';
import { createAuthority, replaceWith } from './test-authority.ts';

const authority = await createAuthority(t);

/** The common name that the gateway shows to a new connection. */
async function shownBy(port: number): Promise<string> {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false });
  await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

/** @throws Error where it shows another one */
async function mustShow(port: number, name: string): Promise<void> {
  const shown = await shownBy(port);
  if (shown !== name) throw new Error(`it shows ${shown} instead of ${name}`);
}

/** Asks without end; gives the failures when it is told to stop. */
function keepAsking(port: number, keepAlive: boolean): () => Promise<readonly string[]> {
  const agent = new Agent({
    keepAlive,
    maxSockets: 1,
    maxCachedSessions: 0,
    rejectUnauthorized: false,
    servername: 'a.test',
  });
  const failures: string[] = [];
  let stopping = false;
  const ask = () =>
    new Promise<void>((resolve) => {
      const asked = requestHttps(
        { port, host: '127.0.0.1', agent, headers: { host: 'a.test' } },
        (answer) => {
          if (answer.statusCode !== 200) failures.push(String(answer.statusCode));
          answer.resume().once('close', resolve);
        },
      );
      asked.once('error', (error) => {
        failures.push(error.message);
        resolve();
      });
      asked.end();
    });
  const running = (async () => {
    while (!stopping) await ask();
    agent.destroy();
  })();
  return async () => {
    stopping = true;
    await running;
    return failures;
  };
}

t.test('files are replaced under traffic: new connections get the new pair, no request fails', async (t) => {
  const [first, second] = await Promise.all([
    authority.issue({ subject: '/CN=first' }),
    authority.issue({ subject: '/CN=second', key: 'rsa' }),
  ]);
  const served = await authority.issue({ subject: '/CN=served' });
  const gateway = await startSecureGateway(
    t,
    { 'a.test': { certFile: served.certFile, keyFile: served.keyFile } },
    { workers: 2 },
  );
  const stops = [true, true, false].map((keepAlive) => keepAsking(gateway.port, keepAlive));
  const kept = await gateway.connect('a.test');
  const before = gateway.gateway.logs.filter(({ msg }) => msg === 'worker serves').length;
  for (const [next, name] of [
    [first, 'first'],
    [second, 'second'],
  ] as const) {
    await replaceWith(served.certFile, next.certFile);
    await replaceWith(served.keyFile, next.keyFile);
    // Two in a row come from both workers.
    await eventually(async () => {
      await mustShow(gateway.port, name);
      await mustShow(gateway.port, name);
    });
  }
  for (const stop of stops) t.same(await stop(), []);
  kept.send(formatRequest('GET', '/', { Host: 'a.test' }));
  t.equal((await kept.readResponse()).status, 200, 'a connection of before lives on');
  t.equal(gateway.gateway.logs.filter(({ msg }) => msg === 'worker serves').length, before, 'no restart');
});

t.test('a pair that does not fit leaves the one before in force, and is named in the log once', async (t) => {
  const [served, other] = await Promise.all([
    authority.issue({ subject: '/CN=served' }),
    authority.issue({ subject: '/CN=other' }),
  ]);
  const gateway = await startSecureGateway(t, {
    'a.test': { certFile: served.certFile, keyFile: served.keyFile },
  });
  t.equal(await shownBy(gateway.port), 'served');
  await replaceWith(served.keyFile, other.keyFile);
  const isTold = ({ msg }: { readonly msg?: unknown }) =>
    String(msg).startsWith('materials cannot be got anew');
  const told = await gateway.gateway.waitForLog(isTold);
  t.match(told.problems, [served.keyFile, /the key is not that of the certificate/]);
  t.equal(await shownBy(gateway.port), 'served');
  const restarted = gateway.gateway.waitForNextLog(({ msg }) => msg === 'workers restarted', 30_000);
  gateway.gateway.signal('SIGHUP');
  await restarted;
  t.equal(await shownBy(gateway.port), 'served', 'workers that start later have it too');
  t.equal(gateway.gateway.logs.filter(isTold).length, 1);
  await replaceWith(served.certFile, other.certFile);
  await eventually(() => mustShow(gateway.port, 'other'));
});
