/** `gateway apply`, `diff` and `export` against a gateway with the embedded store. */
import t from 'tap';
import { startGateway } from '../../helpers/gateway-process.ts';
import { commandsFor, configurationOf, forwardWith, linesOf } from './remote-commands.ts';

const gateway = await startGateway(t);
const commands = await commandsFor(t, gateway);
const first = await commands.file('first.json', configurationOf({ a: {}, b: {} }));
const second = await commands.file('second.json', configurationOf({ a: { order: 5 }, c: {} }));

async function revision(): Promise<number> {
  const status = await commands.read<{ configuration: { revision: number } }>(['status']);
  return status.configuration.revision;
}

t.test('apply --dry-run shows the difference, changes nothing and ends with 2', async (t) => {
  const { code, stdout, stderr } = await commands.run(['apply', first, '--dry-run']);
  t.same([code, stderr], [2, '']);
  t.same(linesOf(stdout), ['+ cluster one', '+ route a', '+ route b', '3 differences from revision 0']);
  t.equal(await revision(), 0);
});

t.test('apply shows the difference, writes it and says who serves it', async (t) => {
  const { code, stdout } = await commands.run(['apply', first, '--message', 'the first']);
  t.equal(code, 0);
  t.same(linesOf(stdout).slice(-2), [
    '3 differences from revision 0',
    'revision 1 is written, served by 1 of 1 worker',
  ]);
  t.equal(await revision(), 1);
});

t.test('what export prints is what is there: to apply it changes nothing', async (t) => {
  const [yaml, json] = await Promise.all([
    commands.shell('gateway export | gateway apply -'),
    commands.shell('gateway export --json | gateway apply -'),
  ]);
  for (const { code, stdout } of [yaml, json]) {
    t.equal(code, 0);
    t.same(linesOf(stdout), ['no difference from revision 1', 'revision 1 is served by 1 of 1 worker']);
  }
  const pipe = await commands.shell('gateway diff <(gateway export)');
  t.equal(pipe.code, 0, 'also from the pipe that a shell makes of <(…)');
  t.same(await commands.read(['export']), configurationOf({ a: {}, b: {} }));
});

t.test('diff: what apply would change, with 2 where it would', async (t) => {
  const [text, json, none] = await Promise.all([
    commands.run(['diff', second]),
    commands.run(['diff', second, '--json']),
    commands.run(['diff', first]),
  ]);
  t.equal(text.code, 2);
  t.same(linesOf(text.stdout), [
    '~ route a',
    '    /order: (absent) → 5',
    '+ route c',
    '- route b',
    '3 differences from revision 1',
  ]);
  t.equal(json.code, 2);
  t.match(JSON.parse(json.stdout), {
    revision: 1,
    difference: [
      { kind: 'route', id: 'a', action: 'change', changes: [{ pointer: '/order', after: 5 }] },
      {},
      {},
    ],
  });
  t.same([none.code, none.stdout], [0, 'no difference from revision 1\n']);
});

t.test('apply --expect of another revision: 3, and the revision that is there', async (t) => {
  const [text, json] = await Promise.all([
    commands.run(['apply', second, '--expect', '0']),
    commands.run(['apply', second, '--expect', '0', '--json']),
  ]);
  t.same([text.code, text.stdout], [3, '']);
  t.match(text.stderr, /^fengling-gateway: expected revision 0, the configuration is at 1: .*\n$/);
  t.equal(json.code, 3);
  t.match(JSON.parse(json.stdout), { code: 'GW_ERR_REVISION_CONFLICT', currentRevision: 1 });
  t.equal(await revision(), 1);
});

t.test(
  'a change by somebody else after the difference was shown is a conflict, not overwritten',
  async (t) => {
    const other = await commands.file('other.json', configurationOf({ theirs: {} }));
    const url = await forwardWith(t, gateway, async () => {
      t.equal((await commands.run(['apply', other])).code, 0);
    });
    const before = await revision();
    const { code, stdout, stderr } = await commands.run(['apply', second, '--admin-url', url]);
    t.equal(code, 3);
    t.match(stdout, `3 differences from revision ${before}\n`);
    t.match(stderr, `expected revision ${before}, the configuration is at ${before + 1}`);
    t.same(await commands.read(['export']), configurationOf({ theirs: {} }));
  },
);

t.test('apply --wait: none waits for nobody, instance and all say who serves it', async (t) => {
  for (const [wait, order, served] of [
    ['none', 1, /is written\n$/],
    ['instance', 2, /served by 1 of 1 worker\n$/],
    ['all', 3, /served by 1 of 1 worker\n$/],
  ] as const) {
    const file = await commands.file('wait.json', configurationOf({ theirs: { order } }));
    const { code, stdout } = await commands.run(['apply', file, '--wait', wait]);
    t.equal(code, 0, wait);
    t.match(stdout, served, wait);
  }
});

t.test('an invalid file: every problem with its place and a hint, and nothing is changed', async (t) => {
  const before = await revision();
  const invalid = await commands.file(
    'invalid.yaml',
    `clusters: { one: { destinations: { d: { url: "gopher://a" } } } }
routes: { r: { match: { path: "/" }, cluster: oen }, s: { match: { path: "/s" }, cluster: one, oder: 3 } }`,
  );
  const results = await Promise.all([
    commands.run(['apply', invalid]),
    commands.run(['diff', invalid]),
    commands.run(['apply', invalid, '--json']),
  ]);
  for (const { code, stderr } of results) {
    t.equal(code, 1);
    t.equal(linesOf(stderr).length, 4);
    t.match(stderr, /^ {2}\/clusters\/one\/destinations\/d\/url: must start with http.* \(.*\)$/m);
    t.match(stderr, /^ {2}\/routes\/r\/cluster: there is no cluster "oen" \(did you mean one\?\)$/m);
    t.match(stderr, /^ {2}\/routes\/s\/oder: unknown key "oder" \(did you mean order\?\)$/m);
  }
  const { problems } = JSON.parse(results[2]?.stdout ?? '') as { problems: unknown[] };
  t.equal(problems.length, 3);
  t.equal(await revision(), before);
});

t.test('a file that cannot be read or parsed: 1, and why', async (t) => {
  const broken = await commands.file('broken.yaml', 'a: 1\na: 2\nb: 1\nb: 2\n');
  const [missing, directory, unparsed, json] = await Promise.all([
    commands.run(['apply', `${broken}.missing`]),
    commands.run(['apply', '/tmp']),
    commands.run(['apply', broken]),
    commands.run(['apply', broken, '--json']),
  ]);
  t.equal(missing.code, 1);
  t.match(
    missing.stderr,
    /^fengling-gateway: cannot read .*broken\.yaml\.missing: no such file or directory .*\n$/,
  );
  t.equal(directory.code, 1);
  t.match(directory.stderr, 'not a regular file');
  t.equal(unparsed.code, 1);
  t.equal(linesOf(unparsed.stderr).length, 3, 'both keys that are there twice are named');
  t.match(JSON.parse(json.stdout), {
    detail: /2 problems/,
    problems: [{ message: String }, { message: String }],
  });
});

t.test(
  'an empty document removes nothing; an empty list of routes, which cannot be a slip, does',
  async (t) => {
    const empty = await commands.shell('true | gateway apply -');
    t.equal(empty.code, 1);
    t.match(empty.stderr, /the document is empty.*routes: \{\}/);
    t.same(Object.keys((await commands.read<{ routes: object }>(['export'])).routes), ['theirs']);
    const meant = await commands.run(['apply', await commands.file('none.yaml', 'routes: {}\n')]);
    t.equal(meant.code, 0);
    t.match(meant.stdout, '- route theirs');
  },
);

t.test('options that cannot be: 1 and one line, before the gateway is asked', async (t) => {
  const results = await Promise.all(
    [
      ['--wait', 'some'],
      ['--timeout-ms', '60001'],
      ['--expect', 'abc'],
      ['--message', 'x'.repeat(1_001)],
    ].map((words) => commands.run(['apply', first, ...words], { GATEWAY_ADMIN_URL: 'http://127.0.0.1:1' })),
  );
  for (const { code, stdout, stderr } of results) {
    t.same([code, stdout], [1, '']);
    t.match(stderr, /^error: option .* is invalid\./);
  }
});
