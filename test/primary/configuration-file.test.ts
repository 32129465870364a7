/** A configuration file that is saved while the gateway serves. */
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { type ScriptedOrigin, startOrigin } from '../helpers/scripted-origin.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { get, listWorkers, waitForMetrics } from '../helpers/worker-processes.ts';

const WORKERS = 3;
/** Connections are handed out in turn: so many reach every worker several times. */
const QUESTIONS = 5 * WORKERS;

const a = await startOrigin((_, connection) => connection.answer({ body: 'a' }), { owner: t });
const b = await startOrigin((_, connection) => connection.answer({ body: 'b' }), { owner: t });

const documentFor = (origin: ScriptedOrigin, path = '/{**rest}') => ({
  clusters: { only: { destinations: { one: { url: origin.url } } } },
  routes: { all: { match: { path }, cluster: 'only' } },
});
const yamlFor = (origin: ScriptedOrigin): string => `# a comment
clusters:
  only: { destinations: { one: { url: "${origin.url}" } } }
routes:
  all: { match: { path: "/{**rest}" }, cluster: only }
`;

const gateway = await startGateway(t, { config: yamlFor(a), workers: WORKERS });

/** Every different answer to many questions, each on a connection of its own. */
async function listAnswers(port = gateway.port, path = '/'): Promise<string[]> {
  const answers = new Set<string>();
  for (let question = 0; question < QUESTIONS; question += 1) {
    const response = await get(port, path);
    answers.add(response.status === 200 ? response.text : String(response.status));
  }
  return [...answers].sort();
}

const REFUSED_GAUGE = 'gateway_configuration_refused';
const changesOf = (metrics: ReadonlyMap<string, number>, result: string) =>
  metrics.get(`gateway_configuration_changes_total{result="${result}"}`) ?? 0;

/** Back to where each test begins: origin a on every worker. */
t.beforeEach(async () => {
  // Two changes, so that there is one whatever was there before.
  await gateway.applyConfig(documentFor(b, `/${gateway.revision}`));
  await gateway.applyConfig(yamlFor(a));
});

t.test('a saved change is served by every worker once it is logged as applied', async (t) => {
  t.same(await listAnswers(), ['a']);
  const before = gateway.revision;
  t.equal(await gateway.applyConfig(documentFor(b)), before + 1);
  t.same(await listAnswers(), ['b']);
  const metrics = await gateway.metrics();
  const workers = [...listWorkers(gateway).keys()];
  t.equal(workers.length, WORKERS);
  for (const worker of workers) {
    t.equal(metrics.get(`gateway_worker_configuration_revision{worker="${worker}"}`), before + 1);
  }
  t.equal(metrics.get('gateway_configuration_revision'), before + 1);
});

t.test('each change counts the revision up by one', async (t) => {
  const before = gateway.revision;
  for (const step of [1, 2, 3]) {
    t.equal(await gateway.applyConfig(documentFor(a, `/step-${step}`)), before + step);
  }
});

t.test('an invalid save is refused with every problem named, and the last good one goes on', async (t) => {
  const before = await gateway.metrics();
  const outcome = await gateway.offerConfig({
    clusters: {
      only: { destinations: { one: { url: 'gopher://a' } } },
      other: { destinations: { one: { url: b.url } }, wieght: 3 },
    },
    routes: {
      all: { match: { path: 'no-slash' }, cluster: 'only' },
      lost: { match: { path: '/lost' }, cluster: 'nowhere' },
    },
  });
  t.match(outcome, { msg: 'configuration refused', level: 'error', revision: gateway.revision });
  const problems = outcome.problems as string[];
  t.equal(outcome.count, problems.length);
  for (const pointer of [
    '/clusters/only/destinations/one/url',
    '/clusters/other/wieght',
    '/routes/all/match/path',
    '/routes/lost/cluster',
  ]) {
    t.ok(
      problems.some((problem) => problem.startsWith(`${pointer}: `)),
      `${pointer} is among ${problems.join('; ')}`,
    );
  }
  t.same(await listAnswers(), ['a']);
  const after = await gateway.metrics();
  t.equal(after.get(REFUSED_GAUGE), 1);
  t.equal(changesOf(after, 'refused'), changesOf(before, 'refused') + 1);
  t.equal(changesOf(after, 'applied'), changesOf(before, 'applied'));
  t.equal(after.get('gateway_configuration_revision'), before.get('gateway_configuration_revision'));
});

t.test('a text that is no YAML is refused with its line and column', async (t) => {
  const outcome = await gateway.offerConfig('clusters:\n  a: [1, 2\nroutes: }\n');
  t.match(outcome, { msg: 'configuration refused' });
  t.match((outcome.problems as string[])[0], /line \d+/);
});

t.test(
  'a file that has lost all it held is refused: routes are removed by name, not by accident',
  async (t) => {
    for (const text of ['', '{}']) {
      t.match(await gateway.offerConfig(text), { msg: 'configuration refused' });
      t.same(await listAnswers(), ['a']);
    }
  },
);

t.test('the next good save after a bad one applies', async (t) => {
  await gateway.offerConfig('routes: 3');
  const before = gateway.revision;
  t.equal(await gateway.applyConfig(documentFor(b)), before + 1);
  t.same(await listAnswers(), ['b']);
  t.equal((await gateway.metrics()).get(REFUSED_GAUGE), 0);
});

t.test(
  'saving the content that is served, in other words, ends a refusal and is no new revision',
  async (t) => {
    await gateway.offerConfig('routes: 3');
    const before = gateway.revision;
    await gateway.writeConfig(`# JSON is YAML too\n${JSON.stringify(documentFor(a), null, 4)}`);
    const metrics = await waitForMetrics(gateway, (seen) => seen.get(REFUSED_GAUGE) === 0);
    t.equal(metrics.get('gateway_configuration_revision'), before);
    t.equal(await gateway.applyConfig(documentFor(b)), before + 1);
  },
);

t.test('routes that come, go and move', async (t) => {
  const cluster = (origin: ScriptedOrigin) => ({ destinations: { one: { url: origin.url } } });
  const to = (path: string, id: string) => ({ match: { path }, cluster: id });
  await gateway.applyConfig({
    clusters: { a: cluster(a), b: cluster(b) },
    routes: { x: to('/x', 'a'), y: to('/y', 'b') },
  });
  t.same([await listAnswers(gateway.port, '/x'), await listAnswers(gateway.port, '/y')], [['a'], ['b']]);
  // Cluster a goes in the same step in which its route moves to another one.
  await gateway.applyConfig({ clusters: { b: cluster(b) }, routes: { x: to('/x', 'b') } });
  t.same([await listAnswers(gateway.port, '/x'), await listAnswers(gateway.port, '/y')], [['b'], ['404']]);
  await gateway.applyConfig({ clusters: {}, routes: {} });
  t.same(await listAnswers(gateway.port, '/x'), ['404']);
});

t.test('a JSON file, saved in all the ways that editors and tools have', async (t) => {
  const directory = await createTemporaryDirectory(t);
  const file = join(directory, 'gateway.json');
  await writeFile(file, JSON.stringify(documentFor(a)));
  const other = await startGateway(t, { workers: 2, flags: ['--config', file] });
  t.same(await listAnswers(other.port), ['a']);

  /** Saves by `save` and gives how that ended. */
  const outcomeOf = async (save: () => Promise<void>): Promise<string> => {
    const before = other.revision;
    const [line] = await Promise.all([
      other.waitForNextLog(
        ({ msg, revision }) =>
          msg === 'configuration refused' || (msg === 'configuration applied' && Number(revision) > before),
      ),
      save(),
    ]);
    return `${line.msg} ${(await listAnswers(other.port)).join()}`;
  };

  await t.test('a writer that truncates the file first', async (t) => {
    const outcome = await outcomeOf(() => writeFile(file, JSON.stringify(documentFor(b))));
    t.equal(outcome, 'configuration applied b');
  });
  await t.test('an editor that renames a new file over it', async (t) => {
    const outcome = await outcomeOf(async () => {
      await writeFile(`${file}~`, JSON.stringify(documentFor(a)));
      await rename(`${file}~`, file);
    });
    t.equal(outcome, 'configuration applied a');
  });
  await t.test('an editor that moves the old file away', async (t) => {
    const outcome = await outcomeOf(async () => {
      await rename(file, `${file}.bak`);
      await writeFile(file, JSON.stringify(documentFor(b)));
    });
    t.equal(outcome, 'configuration applied b');
  });
  await t.test('a symbolic link that is swapped', async (t) => {
    const outcome = await outcomeOf(async () => {
      await writeFile(join(directory, 'target.json'), JSON.stringify(documentFor(a)));
      await symlink('target.json', `${file}.link`);
      await rename(`${file}.link`, file);
    });
    t.equal(outcome, 'configuration applied a');
  });
  await t.test('a file that is deleted changes nothing', async (t) => {
    await rm(file);
    t.same(await listAnswers(other.port), ['a']);
    const outcome = await outcomeOf(() => writeFile(file, JSON.stringify(documentFor(b))));
    t.equal(outcome, 'configuration applied b');
  });
});
