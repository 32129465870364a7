import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { validateDocument } from '../../lib/core/config/validate.ts';
import { runGatewayCommand } from '../helpers/gateway-command.ts';

const CLUSTERS = { c: { Destinations: { d: { Address: 'http://10.0.0.1' } } } };
const SETTINGS = `\ufeff{
  // As people write it.
  "Logging": { "LogLevel": { "Default": "Information" } },
  "ReverseProxy": {
    "Routes": { "r": { "ClusterId": "c", "Match": { "Path": "/a/{**rest}" } } },
    "Clusters": ${JSON.stringify(CLUSTERS)}, /* trailing */
  },
}`;

const directory = t.testdir();
const run = (name: string, text: string | null, flags: readonly string[] = []) => {
  const file = join(directory, name);
  if (text !== null) writeFileSync(file, text);
  return runGatewayCommand(['import', 'yarp', file, ...flags], {}, 30_000);
};

t.test('a file that is carried over as a whole', async (t) => {
  const [yaml, json] = await Promise.all([run('a.json', SETTINGS), run('b.json', SETTINGS, ['--json'])]);
  t.equal(yaml.code, 0);
  const document: unknown = parse(yaml.stdout);
  t.match(document, { routes: { r: { match: { path: '/a/{**rest}' }, cluster: 'c' } } });
  t.same(validateDocument(document).problems, []);
  t.match(yaml.stderr, /different for every route:[\s\S]*paths are case-sensitive/);
  t.same([json.code, JSON.parse(json.stdout)], [0, document]);
});

t.test('what is missing is on standard error, with its place in the file', async (t) => {
  const settings = { ReverseProxy: { Clusters: CLUSTERS, Routes: { 'a/\u001b[2J': { ClusterId: 'x' } } } };
  const { code, stdout, stderr } = await run('c.json', JSON.stringify(settings));
  t.equal(code, 2);
  t.same(Object.keys((parse(stdout) as { clusters: object }).clusters), ['c']);
  t.match(stderr, '  /ReverseProxy/Routes/a~1?[2J: the route was left out\n');
});

t.test('what cannot be read is exit code 1, and says where', async (t) => {
  const [broken, other, missing] = await Promise.all([
    run('broken.json', '{\n  "a": 1,,\n}'),
    run('other.json', '{"Logging": {}}'),
    run('missing.json', null),
  ]);
  t.match(broken, {
    code: 1,
    stdout: '',
    stderr: /^error: .*broken\.json: not valid JSON: .*line 3, column 1\n$/,
  });
  t.match(other, { code: 1, stdout: '', stderr: /it has no section "ReverseProxy"\n$/ });
  t.match(missing, { code: 1, stdout: '', stderr: /cannot read .*missing\.json: no such file/ });
});
