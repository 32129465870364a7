/** What package.json promises of Node: the sources use nothing that the oldest of those lacks. */
import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Node 22.21 and 24.9. What came later and is missed at a call only, which may never come in a test. */
const OLDEST = '>=22.21 <23 || >=24.9';
const NEWER = [
  /\.(?:fromBase64|setFromBase64|toBase64|fromHex|setFromHex|toHex)\b/,
  /\.getOrInsert(?:Computed)?\b/,
  /\bRegExp\.escape\b/,
  /\bError\.isError\b/,
  /\bPromise\.try\b/,
  /\bMath\.(?:sumPrecise|f16round)\b/,
  /\bFloat16Array\b/,
  /\b[gs]etFloat16\b/,
  /\bIterator\.(?:concat|zip|zipKeyed)\b/,
  /\bAtomics\.(?:pause|waitAsync)\b/,
  /\bIntl\.DurationFormat\b/,
  /\bTemporal\b/,
  /\bURLPattern\b/,
  /\bimport\.meta\.main\b/,
  /^\s*(?:await )?using \w+ =/m,
  /\(\?[ims]+(?:-[ims]+)?:/,
  /\bmkdtempDisposable(?:Sync)?\b/,
  /\bargon2(?:Sync)?\b/,
  /\bthreadCpuUsage\b/,
  /\b(?:Suppressed|AsyncDisposable|Disposable)(?:Error|Stack)\b/,
];

function newerIn(text: string): string[] {
  return NEWER.flatMap((pattern) => pattern.exec(text)?.[0] ?? []);
}

t.test('the sources need nothing that the oldest Node does not have', async (t) => {
  const { engines } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')) as {
    engines: { node: string };
  };
  t.equal(engines.node, OLDEST, 'the list is of what came after it');
  let count = 0;
  for await (const path of glob(['lib/**/*.ts', 'bin/*'], { cwd: ROOT })) {
    const found = newerIn(await readFile(ROOT + path, 'utf8'));
    if (found.length > 0) t.fail(`${path} uses ${found.join(', ')}`);
    count += 1;
  }
  t.ok(count > 300, 'the sources were found');
});

t.test('what is newer would be found', async (t) => {
  for (const text of [
    'const bytes = Uint8Array.fromBase64(text);',
    'map.getOrInsertComputed(key, make)',
    "new RegExp('(?i:a)')",
    '  using file = open();',
    'await Promise.try(work)',
  ]) {
    t.equal(newerIn(text).length, 1, text);
  }
  t.same(newerIn('/(?:a)(?=b)(?<name>c)/i; // using it = well'), []);
});
