/** Secrets go where they are needed and turn up nowhere else, whatever clients, users and files do wrong. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runGatewayCommand } from '../helpers/gateway-command.ts';
import { type GatewayProcess, startGateway } from '../helpers/gateway-process.ts';
import { connect, request } from '../helpers/raw-client.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { Canaries } from './canaries.ts';
import { guardedConfiguration, misplacedSecrets } from './guarded-configuration.ts';
import { guardedRequests } from './guarded-requests.ts';
import { createSecrets } from './guarded-secrets.ts';
import {
  GuardedAdmin,
  listProcessSurfaces,
  listRedisContents,
  listStateFiles,
  listWorkerEnvironments,
  type Surface,
  textOf,
  watchRedis,
} from './surfaces.ts';

const OPTIONS = { workers: 1, logLevel: 'trace', startLimitMs: 40_000 } as const;

const canaries = new Canaries();
/** Those of the settings of `start`, which nobody but the primary needs. */
const settingCanaries = new Canaries();
const secrets = await createSecrets(t, canaries);
const { key, cert } = secrets.origin;
const plainOrigin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner: t });
const secureOrigin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), {
  owner: t,
  tls: { key, cert },
});
const configuration = guardedConfiguration(secrets, { plain: plainOrigin.url, secure: secureOrigin.url });
const requests = guardedRequests(secrets);

function makeSetting(name: string): string {
  return settingCanaries.watch(name, canaries.make(name));
}

/** Fails for each secret that is in one of the texts. */
function checkSurfaces(t: Test, surfaces: readonly Surface[]): void {
  for (const [where, text] of surfaces) t.same(canaries.findIn(text), [], where);
}

/** All that can be seen of a gateway, once it has been used and misused. */
async function checkGateway(t: Test, gateway: GatewayProcess, admin: GuardedAdmin): Promise<void> {
  checkSurfaces(t, await admin.readAll());
  checkSurfaces(t, await admin.explainAll(secrets));
  checkSurfaces(t, await listProcessSurfaces(gateway));
  // Variables that the configuration names are inherited; those of the settings are not.
  for (const [where, text] of await listWorkerEnvironments(gateway)) {
    t.same(settingCanaries.findIn(text), [], where);
  }
}

/** What a gateway keeps: readable by its owner alone, and without secrets but for the token that it made. */
async function checkState(t: Test, { stateDirectory }: GatewayProcess): Promise<void> {
  t.equal((await stat(stateDirectory)).mode & 0o777, 0o700);
  const files = await listStateFiles(stateDirectory);
  t.ok(files.length > 0);
  for (const { path, mode, text } of files) {
    t.equal(mode, 0o600, path);
    if (path !== 'admin.token') t.same(canaries.findIn(text), [], path);
  }
}

/** Sends what brings secrets, over TCP and TLS. @returns the answers */
async function sendRequests(t: Test, gateway: GatewayProcess): Promise<Surface[]> {
  const answers: Surface[] = [];
  for (const { what, bytes, status } of requests) {
    const answer = await request(gateway.port, bytes);
    t.equal(answer.status, status ?? answer.status, what);
    answers.push([`answer to ${what}`, textOf(answer)]);
  }
  return answers;
}

type AdminRequest = readonly [method: string, path: string, body: unknown];

/** Wrong in many ways, with secrets in all of them. @returns the answers */
async function misuseAdmin(admin: GuardedAdmin): Promise<Surface[]> {
  const { guess, misplaced } = secrets;
  const wrong: readonly AdminRequest[] = [
    ['PUT', '/api/gateway/config', `{ "a": "${misplaced}" `],
    ['PUT', '/api/gateway/config', `"${misplaced}"`],
    ['POST', '/api/gateway/explain', `{ "method": "${misplaced}`],
    ['POST', '/api/gateway/explain', { method: 'GET', url: misplaced, headers: { authorization: [{}] } }],
    ['GET', `/api/gateway/none?token=${guess}`, undefined],
    ['GET', `/healthz?token=${guess}`, undefined],
  ];
  const documents = Object.entries(misplacedSecrets(configuration, secrets));
  const writes = documents.map(([, document]): AdminRequest => ['PUT', '/api/gateway/config', document]);
  const answers: Surface[] = [];
  for (const [method, path, body] of [...wrong, ...writes]) {
    answers.push([`answer to ${method} ${path}`, textOf(await admin.call(method, path, body))]);
  }
  answers.push([
    'answer to a guess',
    textOf(await admin.call('GET', '/api/gateway/status', undefined, guess)),
  ]);
  return answers;
}

/** A certificate and a key that do not belong together: the log says so. */
async function failHandshake(gateway: GatewayProcess): Promise<void> {
  const { listenTls } = await gateway.waitForLog(({ msg }) => msg === 'gateway ready');
  const port = Number(/\d+$/.exec(String(listenTls))?.[0]);
  const tls = { servername: 'mixed.example.com', rejectUnauthorized: false };
  await connect(port, { owner: t, tls }).catch(() => null);
  await gateway.waitForLog(({ msg }) => msg === 'certificate cannot be used as it is now');
}

async function runCommands(gateway: GatewayProcess, token: string): Promise<Surface[]> {
  const environment = { GATEWAY_ADMIN_URL: `http://127.0.0.1:${gateway.adminPort}`, GATEWAY_TOKEN: token };
  const authorization = `authorization: Bearer ${secrets.tokens.variable}`;
  const commands = [
    ['export'],
    ['status'],
    ['explain', 'GET', 'http://localhost/token', '-H', authorization],
  ];
  return Promise.all(
    commands.map(async (words) => {
      const { code, stdout, stderr } = await runGatewayCommand(words, environment, 40_000);
      if (code !== 0) throw new Error(`gateway ${words[0]} ended with ${code}: ${stderr}`);
      return [`output of ${words[0]}`, stdout + stderr] as const;
    }),
  );
}

t.test('a gateway with a configuration file keeps its secrets to itself', async (t) => {
  const token = makeSetting('admin token');
  const gateway = await startGateway(t, {
    ...OPTIONS,
    config: configuration,
    flags: ['--listen-tls', '127.0.0.1:0'],
    environment: {
      ...secrets.environment,
      GATEWAY_ADMIN_TOKEN: token,
      GATEWAY_TOKEN: makeSetting('token of commands'),
    },
  });
  const admin = new GuardedAdmin(gateway.adminPort, token);
  const events = await admin.openEvents(t);
  checkSurfaces(t, await sendRequests(t, gateway));
  checkSurfaces(t, await misuseAdmin(admin));
  await failHandshake(gateway);
  for (const [what, document] of Object.entries(misplacedSecrets(configuration, secrets))) {
    t.equal((await gateway.offerConfig(document)).msg, 'configuration refused', what);
  }
  const half = `routes:\n  a: "${secrets.misplaced}"\n  b: [ ${secrets.misplaced}: }\n`;
  t.equal((await gateway.offerConfig(half)).msg, 'configuration refused', 'half a document');

  await checkGateway(t, gateway, admin);
  checkSurfaces(t, await runCommands(gateway, token));
  t.match(events.text, 'event: refused');
  checkSurfaces(t, [['events', events.text]]);
  await checkState(t, gateway);
});

t.test('gateways that share a Redis keep their secrets out of it', async (t) => {
  const password = makeSetting('password of Redis');
  const redis = await startRedis(t, { password });
  const monitor = await watchRedis(t, redis, password);
  const url = redis.url.replace('redis://', `redis://default:${password}@`);
  const token = makeSetting('admin token in a file');
  const directory = await createTemporaryDirectory(t);
  const [urlFile, tokenFile] = [join(directory, 'url'), join(directory, 'token')];
  await writeFile(urlFile, `${url}\n`);
  await writeFile(tokenFile, `${token}\n`);
  const start = (name: string, environment: Readonly<Record<string, string>>) =>
    startGateway(t, {
      ...OPTIONS,
      flags: ['--instance', name],
      environment: { ...secrets.environment, ...environment },
    });
  const [one, two] = await Promise.all([
    start('one', { GATEWAY_REDIS_URL: url, GATEWAY_ADMIN_TOKEN_FILE: tokenFile }),
    start('two', { GATEWAY_REDIS_URL_FILE: urlFile }),
  ]);
  const created = (await readFile(join(two.stateDirectory, 'admin.token'), 'utf8')).trim();
  canaries.watch('token that a start made', created);
  const admins = [new GuardedAdmin(one.adminPort, token), new GuardedAdmin(two.adminPort, created)] as const;
  const written = await admins[0].call('PUT', '/api/gateway/config?wait=all&timeoutMs=20000', configuration);
  t.equal(written.status, 200, written.text);

  for (const [gateway, admin] of [
    [one, admins[0]],
    [two, admins[1]],
  ] as const) {
    checkSurfaces(t, await sendRequests(t, gateway));
    checkSurfaces(t, await misuseAdmin(admin));
    await checkGateway(t, gateway, admin);
  }
  await monitor.waitForBytes('"{gateway}:rates" "');
  checkSurfaces(t, [['what gateways said to Redis', monitor.unread.toString('latin1')]]);
  checkSurfaces(t, await listRedisContents(redis));
  for (const gateway of [one, two]) {
    await gateway.stop();
    await checkState(t, gateway);
  }
});
