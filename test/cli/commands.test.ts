/** The commands that need no running gateway, as people and scripts call them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import packageDescription from '../../package.json' with { type: 'json' };
import { runGatewayCommand } from '../helpers/gateway-command.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';

const directory = await createTemporaryDirectory(t);
/** Generous, for machines that have a lot else to do. */
const run = (words: readonly string[]) => runGatewayCommand(words, {}, 30_000);

const VALID = `
clusters: { one: { destinations: { d: { url: "http://127.0.0.1:1" } } } }
routes: { r: { match: { path: "/" }, cluster: one } }
`;
const INVALID = `
clusters: { one: { destinations: { d: { url: "gopher://a" } } } }
routes: { r: { match: { path: "/" }, cluster: oen } }
`;

async function writeConfiguration(name: string, text: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, text);
  return file;
}

t.test('help', async (t) => {
  const general = await run(['--help']);
  t.equal(general.code, 0);
  for (const command of ['start', 'check', 'schema', 'demo']) {
    t.match(general.stdout, new RegExp(`^  ${command}\\b`, 'm'), command);
  }
  t.match(general.stdout, 'Examples:');
  const ofStart = await run(['start', '--help']);
  t.equal(ofStart.code, 0);
  const text = ofStart.stdout.replace(/\s+/g, ' ');
  for (const [flag, variable] of [
    ['--config <file>', 'GATEWAY_CONFIG'],
    ['--listen <host:port>', 'GATEWAY_LISTEN'],
    ['--admin <host:port>', 'GATEWAY_ADMIN'],
    ['--workers <n>', 'GATEWAY_WORKERS'],
    ['--state <dir>', 'GATEWAY_STATE'],
    ['--log-level <level>', 'GATEWAY_LOG_LEVEL'],
    ['--instance <id>', 'GATEWAY_INSTANCE'],
  ] as const) {
    t.match(text, flag);
    t.match(text, `env: ${variable}`);
  }
});

t.test('the version is that of the package', async (t) => {
  for (const flag of ['--version', '-v']) {
    const { code, stdout } = await run([flag]);
    t.same([code, stdout], [0, `${packageDescription.version}\n`]);
  }
});

t.test('check: a valid file', async (t) => {
  const file = await writeConfiguration('valid.yaml', VALID);
  const { code, stdout, stderr } = await run(['check', file]);
  t.same([code, stdout, stderr], [0, `${file} is valid: 1 route, 1 cluster\n`, '']);
});

t.test('check: an invalid file, with every problem', async (t) => {
  const file = await writeConfiguration('invalid.yaml', INVALID);
  const { code, stdout } = await run(['check', file]);
  t.equal(code, 1);
  t.match(stdout, /^error {4}\/clusters\/one\/destinations\/d\/url: /m);
  t.match(stdout, /^error {4}\/routes\/r\/cluster: there is no cluster "oen" \(.*"?one"?/m);
  t.match(stdout, `${file} is refused: 2 problems`);
});

t.test('check --json, for scripts', async (t) => {
  const good = await run(['check', '--json', await writeConfiguration('valid.yml', VALID)]);
  t.equal(good.code, 0);
  const counts = { routes: 1, clusters: 1, issuers: 0, consumers: 0, certificates: 0 };
  t.same(JSON.parse(good.stdout), { ok: true, problems: [], warnings: [], ...counts });
  const json = JSON.stringify({ clusters: {}, routes: { r: { match: { path: '/' }, cluster: 'gone' } } });
  const bad = await run(['check', await writeConfiguration('bad.json', json), '--json']);
  t.equal(bad.code, 1);
  t.match(JSON.parse(bad.stdout), {
    ok: false,
    problems: [{ pointer: '/routes/r/cluster', message: String }],
  });
  const broken = await run(['check', await writeConfiguration('broken.json', '{'), '--json']);
  t.equal(broken.code, 1);
  t.match(JSON.parse(broken.stdout), { ok: false, problems: [{ message: String }] });
});

t.test('check: a file that is not there', async (t) => {
  const file = join(directory, 'missing.yaml');
  const { code, stdout } = await run(['check', file]);
  t.equal(code, 1);
  t.match(stdout, `cannot read ${file}: no such file or directory`);
});

t.test('schema prints a JSON Schema', async (t) => {
  const { code, stdout } = await run(['schema']);
  t.equal(code, 0);
  const schema = JSON.parse(stdout) as Record<string, unknown>;
  t.match(schema.$schema, /^https?:\/\/json-schema\.org\//);
  t.match(schema.properties, { clusters: Object, routes: Object });
});

t.test('what there is none of is refused, with a hint', async (t) => {
  for (const [words, complaint] of [
    [['strat'], /unknown command 'strat'[\s\S]*Did you mean start\?/],
    [['start', '--confg', 'x.yaml'], /unknown option '--confg'[\s\S]*Did you mean --config\?/],
    [['check'], /missing required argument 'file'/],
    [['check', 'a', 'b'], /too many arguments/],
    [['start', 'gateway.yaml'], /too many arguments/],
  ] as const) {
    const { code, stdout, stderr } = await run(words);
    t.same([code, stdout], [1, ''], words.join(' '));
    t.match(stderr, complaint);
    t.match(stderr, '--help');
  }
});

t.test('no command at all: the help, and a failure', async (t) => {
  const { code, stdout, stderr } = await run([]);
  t.equal(code, 1);
  t.match(stdout + stderr, 'Usage: gateway');
});
