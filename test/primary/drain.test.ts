/** SIGTERM and SIGINT: what is under way finishes, nothing new begins, exit code 0. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { type OriginHandler, startOrigin } from '../helpers/scripted-origin.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { get } from '../helpers/worker-processes.ts';

const isDraining = ({ msg }: { msg?: string }) => msg === 'gateway drains';

async function startPair(owner: TestOwner, handler: OriginHandler) {
  const origin = await startOrigin(handler, { owner });
  const gateway = await startGateway(owner, {
    config: {
      clusters: { only: { destinations: { one: { url: origin.url } } } },
      routes: { all: { match: { path: '/{**rest}' }, cluster: 'only' } },
    },
    workers: 2,
  });
  return { origin, gateway };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal}: what is under way finishes, then the gateway exits with 0`, async (t) => {
    const finish = new Map<string, () => void>();
    const { origin, gateway } = await startPair(t, (request, connection) => {
      if (request.target === '/quick') connection.answer({ body: 'quick' });
      if (request.target === '/waiting') {
        finish.set('waiting', () => connection.answer({ body: 'answered after the signal' }));
      }
      if (request.target === '/streaming') {
        connection.beginChunked();
        connection.writeChunk('first ');
        finish.set('streaming', () => {
          connection.writeChunk('last');
          connection.endChunked();
        });
      }
      if (request.target === '/upload') {
        void request.ended.then(() => connection.answer({ body: `took ${request.text}` }));
      }
    });
    const open = () => connect(gateway.port, { owner: t });

    const waiting = await open();
    waiting.send(formatRequest('GET', '/waiting'));
    const streaming = await open();
    streaming.send(formatRequest('GET', '/streaming'));
    await streaming.readHead();
    await streaming.readBodyUntil('first');
    const upload = await open();
    upload.send(formatRequest('POST', '/upload', { 'Content-Length': '10' }, 'first'));
    await origin.waitForRequests(3);
    const [idle, late] = await Promise.all([open(), open()]);
    for (const client of [idle, late]) {
      client.send(formatRequest('GET', '/quick'));
      t.equal((await client.readResponse()).header('connection'), 'keep-alive');
    }

    const draining = gateway.waitForNextLog(isDraining);
    gateway.signal(signal);
    await draining;
    // The log line comes a moment before the workers are told.
    for (let isLast = false; !isLast; ) {
      late.send(formatRequest('GET', '/quick'));
      const answer = await late.readResponse();
      t.equal(answer.status, 200, 'asked while draining');
      isLast = answer.header('connection') === 'close';
    }
    await t.rejects(connect(gateway.port), { code: 'ECONNREFUSED' }, 'new connections are refused');
    const readiness = await get(gateway.adminPort, '/readyz');
    t.same([readiness.status, readiness.text], [503, 'not ready: shutting down\n']);

    t.equal(await late.waitForClose(), 'closed');
    t.equal(await idle.waitForClose(), 'closed', 'an idle connection is closed');

    finish.get('waiting')?.();
    const answer = await waiting.readResponse();
    t.same([answer.status, answer.text], [200, 'answered after the signal']);
    t.equal(answer.header('connection'), 'close');
    finish.get('streaming')?.();
    const stream = await streaming.readResponse();
    t.same([stream.text, stream.ended], ['first last', 'complete']);
    upload.send('-last');
    const taken = await upload.readResponse();
    t.same([taken.status, taken.text], [200, 'took first-last']);

    t.same(await gateway.exited, { code: 0, signal: null });
    t.equal(gateway.stderr, '');
    t.notOk(gateway.logs.some(({ level }) => level === 'error' || level === 'fatal'));
    t.notOk(
      gateway.logs.some(({ msg }) => /cut off/.test(msg ?? '')),
      'nothing was cut off',
    );
  });
}
