/** What is left in the state directory, and the gateway that starts from it. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { listStartArguments, runGatewayCommand } from '../helpers/gateway-command.ts';
import { type GatewayProcess, startGateway } from '../helpers/gateway-process.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { get } from '../helpers/worker-processes.ts';

const origin = await startOrigin((_, connection) => connection.answer({ body: 'served' }), { owner: t });
const documentFor = (path: string) => ({
  clusters: { only: { destinations: { one: { url: origin.url } } } },
  routes: { only: { match: { path }, cluster: 'only' } },
});

const statusOf = async (gateway: GatewayProcess, path: string) => (await get(gateway.port, path)).status;

interface Place {
  readonly configFile: string;
  readonly stateDirectory: string;
  readonly lastGoodFile: string;
}

async function createPlace(owner: TestOwner): Promise<Place> {
  const directory = await createTemporaryDirectory(owner);
  const stateDirectory = join(directory, 'state');
  return {
    configFile: join(directory, 'gateway.json'),
    stateDirectory,
    lastGoodFile: join(stateDirectory, 'last-good.json'),
  };
}

/** Starts a gateway on a file that outlives it. */
async function startAt(owner: TestOwner, { configFile, stateDirectory }: Place, document: object) {
  await writeFile(configFile, JSON.stringify(document));
  return startGateway(owner, { stateDirectory, flags: ['--config', configFile] });
}

/** Saves another document and waits until it is served; gives its revision. */
async function change(gateway: GatewayProcess, { configFile }: Place, document: object): Promise<number> {
  const before = gateway.revision;
  const [line] = await Promise.all([
    gateway.waitForNextLog(
      ({ msg, revision }) => msg === 'configuration applied' && Number(revision) > before,
    ),
    writeFile(configFile, JSON.stringify(document)),
  ]);
  return Number(line.revision);
}

/** What a gateway leaves that served `/saved` and was stopped. */
async function leavePlace(owner: TestOwner) {
  const place = await createPlace(owner);
  const gateway = await startAt(owner, place, documentFor('/first'));
  const revision = await change(gateway, place, documentFor('/saved'));
  await gateway.stop();
  return { place, revision };
}

t.test('a restart with a broken file serves the last good configuration and says so', async (t) => {
  const { place, revision } = await leavePlace(t);
  const gateway = await startAt(t, place, { routes: 3 });
  t.equal(await statusOf(gateway, '/saved'), 200);
  const refusal = gateway.logs.find(({ msg }) => msg === 'configuration refused');
  t.match(refusal, { level: 'error', problems: [/^\/routes: /] });
  t.match(
    gateway.logs.find(({ msg }) => msg === 'serving the last good configuration'),
    { level: 'warn', revision, savedAt: /^\d{4}-/ },
  );
  const metrics = await gateway.metrics();
  t.equal(metrics.get('gateway_configuration_refused'), 1);
  t.equal(metrics.get('gateway_configuration_revision'), revision);
  t.equal((await get(gateway.adminPort, '/readyz')).status, 200, 'traffic is served');

  t.equal(await change(gateway, place, documentFor('/next')), revision + 1, 'revisions go on from there');
  t.equal(await statusOf(gateway, '/next'), 200);
});

t.test('a restart with the same content keeps the revision; with another one it counts on', async (t) => {
  const { place, revision } = await leavePlace(t);
  t.same(
    await readdir(place.stateDirectory),
    ['admin.token', 'last-good.json', 'tokens.json'],
    'no remains of writing are left',
  );
  const same = await startAt(t, place, documentFor('/saved'));
  t.equal((await same.metrics()).get('gateway_configuration_revision'), revision);
  await same.stop();
  const other = await startAt(t, place, documentFor('/other'));
  t.equal((await other.metrics()).get('gateway_configuration_revision'), revision + 1);
  t.equal(await statusOf(other, '/other'), 200);
  t.equal(await statusOf(other, '/saved'), 404);
});

t.test('the last good configuration of another file is not served for one that cannot be read', async (t) => {
  const { place } = await leavePlace(t);
  const mistyped = `${place.configFile}l`;
  const { code, stderr } = await runGatewayCommand(
    listStartArguments({}, place.stateDirectory, mistyped),
    {},
    30_000,
  );
  t.equal(code, 1);
  t.match(stderr, mistyped);
});

t.test('a damaged last good file is set aside and named, not trusted', async (t) => {
  const { place } = await leavePlace(t);
  const file = place.lastGoodFile;
  const text = await readFile(file, 'utf8');
  const damaged = text.replace('/saved', '/sawed');
  await writeFile(file, damaged);
  const gateway = await startAt(t, place, documentFor('/fresh'));
  const line = gateway.logs.find(({ msg }) => msg === 'last good configuration is damaged: set aside');
  t.match(line, { level: 'error', reason: file });
  t.equal(await readFile(String(line?.setAsideAs), 'utf8'), damaged, 'kept for people to look at');
  t.equal(await statusOf(gateway, '/fresh'), 200);
  t.equal(await statusOf(gateway, '/sawed'), 404);
});

t.test('a state directory that cannot be written to any more: reported, and traffic goes on', async (t) => {
  const stateDirectory = join(await createTemporaryDirectory(t), 'state');
  const gateway = await startGateway(t, { config: documentFor('/before'), stateDirectory });
  // The first configuration is saved once it is served: removing must not meet that.
  while (!(await readdir(stateDirectory)).includes('last-good.json'));
  await rm(stateDirectory, { recursive: true, maxRetries: 10 });
  // Permissions would not keep root from writing; a file in the place of the directory does.
  await writeFile(stateDirectory, '');
  const [line] = await Promise.all([
    gateway.waitForNextLog(({ msg }) => msg === 'last good configuration could not be saved'),
    gateway.applyConfig(documentFor('/after')),
  ]);
  t.match(line, { level: 'error', reason: stateDirectory });
  t.equal(await statusOf(gateway, '/after'), 200);

  await rm(stateDirectory);
  t.same(await gateway.stop(), { code: 0, signal: null });
});
