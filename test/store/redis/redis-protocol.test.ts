/** docs/redis-protocol.md is all that a console is written from: what it says is run here. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { validateDocument } from '../../../lib/core/config/validate.ts';
import { HEALTH_SCRIPT } from '../../../lib/store/redis/health-script.ts';
import { ANNOUNCE_SCRIPT, LIST_INSTANCES_SCRIPT } from '../../../lib/store/redis/instance-scripts.ts';
import { PUBLISH_SCRIPT } from '../../../lib/store/redis/publish-script.ts';
import { keysWithPrefix } from '../../../lib/store/redis/redis-keys.ts';
import { RedisStore } from '../../../lib/store/redis/redis-store.ts';
import { type RedisProcess, startRedis } from '../../helpers/redis-server.ts';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';
import { changeOf, putCluster } from '../contract.ts';
import { StoreWatch } from './store-watch.ts';

const run = promisify(execFile);
const page = await readFile(new URL('../../../docs/redis-protocol.md', import.meta.url), 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
  /** The last heading before it. */
  readonly heading: string;
}

function listBlocks(): Block[] {
  const matches = page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...matches].map(({ 1: language = '', 2: text = '', index }) => {
    const heading = [...page.slice(0, index).matchAll(/^#+ (.*)$/gm)].at(-1)?.[1] ?? '';
    return { language, text, heading };
  });
}

const blocks = listBlocks();
const scripts = new Map(blocks.filter(({ language }) => language === 'lua').map((b) => [b.heading, b.text]));

t.test('the scripts are the ones that gateways run', async (t) => {
  t.strictSame(
    scripts,
    new Map([
      ['publish.lua', PUBLISH_SCRIPT],
      ['health.lua', HEALTH_SCRIPT],
      ['instances.lua', LIST_INSTANCES_SCRIPT],
      ['announce.lua', ANNOUNCE_SCRIPT],
    ]),
  );
});

t.test('all keys are described', async (t) => {
  const { collections, ...others } = keysWithPrefix('{gateway}:');
  for (const key of [...collections, ...Object.values(others)]) t.match(page, `\n| \`${key}\` |`);
});

/** Runs what is shown, in a directory with the scripts. */
async function runShown(t: Test, redis: RedisProcess, text: string): Promise<string> {
  const directory = await createTemporaryDirectory(t);
  for (const [name, script] of scripts) await writeFile(join(directory, name), script);
  const environment = { ...process.env, REDIS_URL: redis.url };
  const { stdout } = await run('sh', ['-ec', text], { cwd: directory, env: environment, timeout: 10_000 });
  return stdout;
}

t.test('the examples print what is shown, and the store reads what they wrote', async (t) => {
  const redis = await startRedis(t);
  const store = await RedisStore.open(redis.settings());
  t.teardown(() => store.close());
  const watch = new StoreWatch(store);
  await watch.hintAfter(0);
  const told: unknown[] = [];
  store.health.watch((reports) => told.push(...reports));
  let examples = 0;
  for (const [index, { language, text }] of blocks.entries()) {
    if (language !== 'sh') continue;
    examples += 1;
    t.equal(await runShown(t, redis, text), blocks[index + 1]?.text, text);
  }
  t.equal(examples, 6);
  t.strictSame(
    (await watch.deltaCount(2)).map(({ id, parent }) => [id, parent]),
    [
      ['change-1', null],
      ['change-3', 'change-1'],
    ],
  );
  const head = { revision: 2, id: 'change-3', parent: 'change-1', at: '2026-01-31T12:02:00.000Z' };
  t.match(await store.read(), { head, document: { clusters: { orders: {} }, routes: {} } });
  const [change] = await store.history(1);
  t.match(change, { actor: 'bob', message: 'orders are closed' });
  await store.publish(changeOf(change?.undo ?? []));
  const { configuration, problems } = validateDocument((await store.read())?.document);
  t.strictSame(problems, []);
  t.strictSame([...(configuration?.routes.keys() ?? [])], ['orders-api']);
  t.match(told, [{ destination: 'orders-1', healthy: false, reason: 'connect ECONNREFUSED' }]);
});

/** The rule line for a user, as the words of a command. */
function ruleOf(user: string): string[] {
  const rule = blocks.find(({ language, text }) => language === 'acl' && text.includes(`SETUSER ${user} `));
  return (rule?.text ?? '').trim().split(' ');
}

/** Everything that a console does. */
async function actAsConsole(t: Test, store: RedisStore, name: string): Promise<void> {
  const watch = new StoreWatch(store);
  await watch.hintAfter(0);
  const { revision } = await store.publish(changeOf([putCluster(name), putCluster('gone')]));
  await store.publish(changeOf([{ op: 'delete', kind: 'cluster', id: 'gone' }]));
  await watch.deltaCount(2);
  t.match(await store.read(), { head: { revision: revision + 1 }, document: { clusters: { [name]: {} } } });
  t.equal((await store.changesSince(revision))?.length, 1);
  t.equal((await store.history(1)).length, 1);
  const report = { cluster: name, destination: 'one', healthy: false, sequence: 1, ttlMs: 60_000 };
  t.equal(await store.health.report([report]), 1);
  t.ok((await store.health.read()).length > 0);
  await store.instances.list();
}

t.test('the rules are enough for what gateways and consoles do, and for nothing else', async (t) => {
  const redis = await startRedis(t, { configuration: ['acllog-max-len 100'] });
  const openAs = async (user: string): Promise<RedisStore> => {
    await redis.command(...ruleOf(user));
    // A short log: what is trimmed needs rights, too.
    const settings = redis.settings(undefined, { username: user, password: 'SECRET' });
    const store = await RedisStore.open(settings, { logLength: 2 });
    t.teardown(() => store.close());
    return store;
  };
  const gateway = await openAs('gateway');
  await actAsConsole(t, gateway, 'by-gateway');
  t.match(gateway.condition, { reachable: true, problem: null });
  await gateway.instances.announce({ instance: 'a' }, 60_000);
  t.strictSame(await gateway.instances.list(), [{ instance: 'a' }]);
  t.equal(await gateway.rates.agreeOnSecret('one-by-chance-0123'), 'one-by-chance-0123');
  t.equal(await gateway.rates.agreeOnSecret('another-by-chance'), 'one-by-chance-0123');
  const console = await openAs('console');
  await actAsConsole(t, console, 'by-console');
  t.match(console.condition, { reachable: true, problem: null });
  t.strictSame(await console.instances.list(), [{ instance: 'a' }]);
  await gateway.instances.withdraw('a');
  t.equal(await redis.command('ACL', 'LOG'), '', 'neither is refused anything');
  const asConsole = ['--user', 'console', '--pass', 'SECRET', '--no-auth-warning'];
  for (const words of [['FLUSHALL'], ['CONFIG', 'GET', '*'], ['GET', 'other'], ['KEYS', '*']]) {
    await t.rejects(redis.command(...asConsole, ...words), /NOPERM/, words.join(' '));
  }
});

t.test('a user without all rights is refused before anything is written', async (t) => {
  const redis = await startRedis(t);
  await redis.command(...ruleOf('gateway'));
  for (const right of ['hset', 'hdel', 'unlink', 'xadd', 'xdel', 'publish']) {
    await redis.command('ACL', 'SETUSER', 'gateway', `-${right}`);
    const store = await RedisStore.open(
      redis.settings(undefined, { username: 'gateway', password: 'SECRET' }),
    );
    await t.rejects(store.publish(changeOf([putCluster('a')])), { notWritten: true, message: /may not run/ });
    t.equal(await redis.command('DBSIZE'), '0', right);
    await store.close();
    await redis.command('ACL', 'SETUSER', 'gateway', `+${right}`);
  }
});
