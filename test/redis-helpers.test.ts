/** The real Redis servers of other tests: they start, fail and come back as those tests need it. */
import { connect as connectTcp, type Socket } from 'node:net';
import t from 'tap';
import { createCertificate } from './helpers/certificate.ts';
import { ChangeSignal } from './helpers/change-signal.ts';
import { startRedisCluster } from './helpers/redis-cluster.ts';
import { RedisDaemon, startDaemon } from './helpers/redis-daemon.ts';
import { startReplicatedPair, startSentinels } from './helpers/redis-sentinel.ts';
import { startRedis } from './helpers/redis-server.ts';
import { startTcpRelay } from './helpers/tcp-relay.ts';
import type { TestOwner } from './helpers/test-owner.ts';

t.test('a server keeps its data over a kill only with appendOnly', async (t) => {
  const redis = await startRedis(t);
  t.equal(await redis.command('SET', 'a', '1'), 'OK');
  await redis.restart();
  t.equal(await redis.command('GET', 'a'), '');
  await t.rejects(redis.restart({ keepData: true }), /only appendOnly/);

  const durable = await startRedis(t, { appendOnly: true });
  await durable.command('SET', 'a', '1');
  await durable.kill();
  await t.rejects(durable.command('PING'), /Connection refused/);
  await durable.restart();
  t.equal(await durable.command('GET', 'a'), '1');
  await durable.restart({ keepData: false });
  t.equal(await durable.command('GET', 'a'), '');
});

t.test('a server comes back with an older copy of its data', async (t) => {
  for (const appendOnly of [false, true]) {
    const redis = await startRedis(t, { appendOnly });
    await redis.command('SET', 'a', 'old');
    const copy = await redis.saveCopy();
    await redis.command('SET', 'a', 'new');
    await redis.restart({ from: copy });
    t.equal(await redis.command('GET', 'a'), 'old', `appendOnly ${appendOnly}`);
  }
});

t.test('a paused server answers nothing until it is resumed', async (t) => {
  const redis = await startRedis(t);
  redis.pause();
  const answer = redis.command('PING').then((text) => ({ text, resumed }));
  let resumed = false;
  // Accepted by the kernel: the connection stands although nobody answers.
  await new Promise((resolve) => openSocket(t, redis.port).once('connect', resolve));
  resumed = true;
  redis.resume();
  t.same(await answer, { text: 'PONG', resumed: true });
  redis.pause();
});

t.test('an error of a command says what the server said, and no password', async (t) => {
  const redis = await startRedis(t, { password: 'ge"heim\\' });
  const failure = await redis.command('NONSENSE').then(String, String);
  t.match(failure, /unknown command 'NONSENSE'/);
  t.notMatch(failure, 'heim');
  t.match(redis.settings('{a}:'), { password: 'ge"heim\\', prefix: '{a}:', tls: null });
  t.match(redis.settings(undefined, { password: null }), { password: null, prefix: '{gateway}:' });
  t.equal(redis.settings().description, redis.url);
});

t.test('a server that cannot start says why', async (t) => {
  await t.rejects(startRedis(t, { configuration: ['nonsense yes'] }), /Bad directive/);
});

t.test('a port that was taken meanwhile is left, and another one used', async (t) => {
  const occupied = await startRedis(t);
  let isFirst = true;
  const options = {
    configuration: (port: number) => {
      const used = isFirst ? occupied.port : port;
      isFirst = false;
      return ['bind 127.0.0.1', `port ${used}`, 'save ""'];
    },
  };
  const daemon = await startDaemon(
    t,
    options,
    (port, directory) => new RedisDaemon(port, directory, options),
  );
  t.not(daemon.port, occupied.port);
  t.equal(await daemon.command('PING'), 'PONG');
});

t.test('users, encryption, client certificates and a limit of memory', async (t) => {
  const tls = await createCertificate(t);
  const aclUsers = ['gateway on >secret ~{gateway}:* +get'];
  const redis = await startRedis(t, { tls, clientCertificates: true, aclUsers, maxMemory: '2mb' });
  t.match(
    await redis.command('ACL', 'LIST'),
    /user gateway on #\w{64} ~\{gateway\}:\* resetchannels -@all \+get/,
  );
  t.match(redis.settings(), { tls: { ca: tls.ca, cert: tls.cert, key: tls.key } });
  t.match(redis.url, /^rediss:/);
  // It looks at its memory before a command only.
  await redis.command('EVAL', 'redis.call("SET", "large", string.rep("a", 4000000))', '0');
  await t.rejects(redis.command('SET', 'a', '1'), /OOM/);
  const plain = openSocket(t, redis.port);
  plain.write('PING\r\n');
  await new Promise((resolve) => plain.once('close', resolve));
  t.equal(plain.bytesRead, 0, 'it speaks to nobody without TLS');
});

t.test('a replica follows its master until it is promoted', async (t) => {
  const { master, replica } = await startReplicatedPair(t, { password: 'secret' });
  await master.command('SET', 'a', '1');
  t.equal(await master.command('WAIT', '1', '5000'), '1');
  t.equal(await replica.command('GET', 'a'), '1');
  await t.rejects(replica.command('SET', 'a', '2'), /READONLY/);
  await replica.promote();
  t.equal(await replica.command('SET', 'a', '2'), 'OK');
});

t.test('clients of one type are cut off', async (t) => {
  const redis = await startRedis(t);
  const subscriber = openSocket(t, redis.port);
  subscriber.write('SUBSCRIBE a\r\n');
  await new Promise((resolve) => subscriber.once('data', resolve));
  const closed = new Promise((resolve) => subscriber.once('close', resolve));
  t.equal(await redis.killClients('normal'), 0);
  t.equal(await redis.killClients('pubsub'), 1);
  await closed;
});

t.test('sentinels put the replica in the place of a dead master', async (t) => {
  const passwords = { password: 'of servers', sentinelPassword: 'of sentinels' };
  const { master, replica } = await startReplicatedPair(t, { password: passwords.password });
  const sentinels = await startSentinels(t, master, passwords);
  t.equal(await sentinels.masterPort(), master.port);
  t.match(sentinels.settings('{a}:'), {
    mode: 'sentinel',
    sentinelName: 'gateway',
    prefix: '{a}:',
    ...passwords,
  });
  t.equal(sentinels.settings().nodes.length, 3);
  await master.kill();
  await sentinels.waitForMaster(replica.port);
  t.equal(await sentinels.masterPort(), replica.port);
  t.match(await replica.command('INFO', 'replication'), /role:master/);
});

t.test('a cluster of three nodes serves every slot', async (t) => {
  const cluster = await startRedisCluster(t, { password: 'secret' });
  t.equal(cluster.nodes.length, 3);
  t.match(cluster.settings(), { mode: 'cluster', password: 'secret', nodes: { length: 3 } });
  for (const node of cluster.nodes) t.match(await node.command('CLUSTER', 'INFO'), /cluster_state:ok/);
  for (const key of ['{gateway}:head', 'a', 'b', 'c', 'd', 'e']) {
    const owner = await cluster.ownerOf(key);
    t.equal(await owner.command('SET', key, '1'), 'OK', key);
  }
});

t.test('a relay forwards both ways, and the ends of connections', async (t) => {
  const redis = await startRedis(t);
  const relay = await startTcpRelay(t, redis.port);
  const client = new LineClient(openSocket(t, relay.port));
  client.socket.write('PING\r\n');
  t.equal(await client.waitForText('+PONG\r\n'), '+PONG\r\n');
  client.socket.write('QUIT\r\n');
  t.equal(await client.waitForClose(), 'end');
  t.equal(relay.accepted, 1);
});

t.test('a relay that swallows keeps connections open, and forwards all once it is restored', async (t) => {
  const redis = await startRedis(t);
  const relay = await startTcpRelay(t, redis.port);
  const client = new LineClient(openSocket(t, relay.port));
  client.socket.write('PING\r\n');
  await client.waitForText('+PONG\r\n');
  relay.swallow();
  client.socket.write('ECHO hello\r\n');
  const late = new LineClient(openSocket(t, relay.port));
  late.socket.write('PING\r\n');
  await relay.waitForAccepted(2);
  await redis.kill();
  t.same([client.closed, late.closed, client.text], [null, null, '+PONG\r\n']);
  relay.restore();
  t.ok(await client.waitForClose());
  t.ok(await late.waitForClose());

  await redis.restart();
  const again = new LineClient(openSocket(t, relay.port));
  relay.swallow();
  again.socket.write('PING\r\n');
  relay.restore();
  t.equal(await again.waitForText('+PONG\r\n'), '+PONG\r\n', 'nothing is lost');
});

t.test('a relay cuts connections, and refuses new ones', async (t) => {
  const redis = await startRedis(t);
  const relay = await startTcpRelay(t, redis.port);
  const client = new LineClient(openSocket(t, relay.port));
  client.socket.write('PING\r\n');
  await client.waitForText('+PONG\r\n');
  relay.refuse();
  const refused = new LineClient(openSocket(t, relay.port));
  t.equal(await refused.waitForClose(), 'ECONNRESET');
  client.socket.write('PING\r\n');
  await client.waitForText('+PONG\r\n+PONG\r\n');
  relay.cut();
  t.equal(await client.waitForClose(), 'ECONNRESET');
  relay.restore();
  const again = new LineClient(openSocket(t, relay.port));
  again.socket.write('PING\r\n');
  await again.waitForText('+PONG\r\n');
  await relay.waitForAccepted(3);
});

/** Begins to connect to a port of 127.0.0.1; the socket goes with the test. */
function openSocket(owner: TestOwner, port: number): Socket {
  const socket = connectTcp({ host: '127.0.0.1', port });
  owner.teardown(() => socket.destroy());
  socket.on('error', () => {});
  return socket;
}

/** Collects what arrives on a socket, and how it ends. */
class LineClient {
  readonly socket: Socket;
  text = '';
  closed: string | null = null;
  readonly #changed = new ChangeSignal();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    let how = 'end';
    socket.on('data', (text: string) => {
      this.text += text;
      this.#changed.notify();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      how = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.closed = how;
      this.#changed.notify();
    });
  }

  waitForText(expected: string): Promise<string> {
    const find = () => (this.text.length >= expected.length ? this.text : undefined);
    return this.#changed.waitFor(find, 5_000, () => `only ${JSON.stringify(this.text)} arrived`);
  }

  waitForClose(): Promise<string> {
    return this.#changed.waitFor(
      () => this.closed ?? undefined,
      5_000,
      () => 'the connection stayed open',
    );
  }
}
