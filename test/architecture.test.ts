import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { checkArchitecture, formatViolation } from './helpers/architecture-checker.ts';
import { isBarrel, scanImports } from './helpers/import-scanner.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

async function readSources(): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for await (const entry of glob(['lib/**/*.ts', 'bin/*'], { cwd: ROOT, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    sources.set(path.slice(ROOT.length), await readFile(path, 'utf8'));
  }
  return sources;
}

t.test('the sources keep to the way of the data', async (t) => {
  const sources = await readSources();
  t.ok(sources.has('lib/core/config/model.ts'), 'the sources were found');
  t.same(checkArchitecture(sources).map(formatViolation), []);
});

/** Each plants one violation; the file and line in which it has to be found come with the rule. */
const plantedViolations: { rule: string; at: string; files: Record<string, string> }[] = [
  {
    rule: 'core imports nothing from outside core',
    at: 'lib/core/routing/table.ts:2',
    files: { 'lib/core/routing/table.ts': "import t from './x.ts';\nimport { a } from '../../ipc/a.ts';" },
  },
  {
    rule: 'core imports nothing from outside core',
    at: 'lib/core/a.ts:1',
    files: { 'lib/core/a.ts': "import type { A } from '../../test/helpers/a.ts';" },
  },
  {
    rule: 'core imports no module but typebox',
    at: 'lib/core/a/b.ts:1',
    files: { 'lib/core/a/b.ts': "import { readFile } from 'node:fs/promises';" },
  },
  {
    rule: 'core imports no module but typebox',
    at: 'lib/core/a/b.ts:2',
    files: { 'lib/core/a/b.ts': "import { Compile } from 'typebox/compile';\nimport yaml from 'yaml';" },
  },
  ...['store', 'primary', 'admin', 'console'].map((layer) => forbid('worker', layer)),
  ...['worker', 'proxy'].map((layer) => forbid('primary', layer)),
  ...['ipc', 'primary', 'worker', 'proxy'].map((layer) => forbid('console', layer)),
  {
    rule: 'nothing imports from bin',
    at: 'lib/cli/start.ts:1',
    files: { 'lib/cli/start.ts': "import '../../bin/gateway';" },
  },
  {
    rule: 'nothing imports from bin',
    at: 'bin/console:1',
    files: { 'bin/console': "await import('./gateway');" },
  },
  reserve('ioredis', 'store', 'admin'),
  reserve('node:cluster', 'primary and bin', 'worker'),
  reserve('cluster', 'primary and bin', 'ipc'),
  reserve('undici', 'proxy', 'console'),
  reserve('http-proxy-3', 'proxy', 'worker'),
  {
    rule: 'imports make no cycle',
    at: 'lib/ipc/c.ts:1',
    files: {
      'lib/ipc/a.ts': "import { b } from './b.ts';",
      'lib/ipc/b.ts': "export { c } from './c.ts';\nexport const b = 1;",
      'lib/ipc/c.ts': "import type { A } from './a.ts';",
    },
  },
  {
    rule: 'imports make no cycle',
    at: 'lib/ipc/a.ts:1',
    files: { 'lib/ipc/a.ts': "const a = () => import('./a.ts');" },
  },
  {
    rule: 'core has no barrel files',
    at: 'lib/core/routing/routing.ts:1',
    files: {
      'lib/core/routing/routing.ts':
        "/** All. */\nexport * from './a.ts';\nexport type { B } from './b.ts';\n",
    },
  },
  {
    rule: 'a file of lib has at most 400 lines',
    at: 'lib/proxy/long.ts:401',
    files: { 'lib/proxy/long.ts': 'forward();\n'.repeat(401) },
  },
];

function forbid(layer: string, target: string) {
  const file = `lib/${layer}/a.ts`;
  const source = `import {\n  b,\n} from '../${target}/b.ts';`;
  return { rule: `${layer} does not import from ${target}`, at: `${file}:3`, files: { [file]: source } };
}

function reserve(name: string, owners: string, intruder: string) {
  const file = `lib/${intruder}/a.ts`;
  const source = `export const load = () =>\n  import('${name}');`;
  return { rule: `only ${owners} may import ${name}`, at: `${file}:2`, files: { [file]: source } };
}

t.test('the checker finds a planted violation of each rule, and nothing else', async (t) => {
  for (const { rule, at, files } of plantedViolations) {
    const violations = checkArchitecture(new Map(Object.entries(files))).map(formatViolation);
    t.equal(violations.length, 1, `${rule}: ${violations.join('; ')}`);
    t.ok(violations[0]?.startsWith(`${at}: ${rule}, but `), `${at} in ${violations[0]}`);
  }
});

t.test('what is allowed is not reported', async (t) => {
  const allowed = {
    'bin/gateway': "#!/usr/bin/env node\nimport cluster from 'node:cluster';\nimport '../lib/cli/main.ts';",
    'lib/core/config/model.ts':
      "import Type, { type Static } from 'typebox';\nexport const a = Type.Object({});",
    'lib/core/routing/a.ts':
      "import { a } from '../config/model.ts';\nexport { b } from './b.ts';\nexport const c = a;",
    'lib/core/routing/b.ts':
      "// import { a } from './a.ts';\n/* import x from 'yaml'; */\nexport const b = 'from';",
    'lib/store/redis-store.ts': "import { Redis } from 'ioredis';",
    'lib/primary/supervisor.ts': "import cluster from 'node:cluster';\nimport { a } from '../ipc/a.ts';",
    'lib/proxy/upstream.ts': "import { Pool } from 'undici';\nimport { a } from '../core/routing/a.ts';",
    'lib/worker/pipeline.ts': "import { forward } from '../proxy/upstream.ts';",
    'lib/console/server.ts': "import { store } from '../store/redis-store.ts';",
    'lib/ipc/a.ts': `${'channel();\n'.repeat(400)}`,
  };
  t.same(checkArchitecture(new Map(Object.entries(allowed))).map(formatViolation), []);
});

t.test('every form of import is seen, with its line', async (t) => {
  const source = `import a from 'a';
import * as b from "b";
import c, { d } from 'c';
import {
  type e, // a comment
  f as g,
} from 'd';
import 'e';
import type { H } from 'f';
import type I from 'g';
export * from 'h';
export * as j from 'i';
export { k } from 'j';
export type { L } from 'k';
const m = await import('l');
type N = import('m').N;
const o = require('n');
/**
 * import p from 'not this';
 */
// const q = await import('nor this');
export const from = 'nor that';
import { r } from'o';
`;
  const lines = scanImports(source).map(({ specifier, line }) => `${specifier}${line}`);
  t.equal(lines.join(' '), 'a1 b2 c3 d7 e8 f9 g10 h11 i12 j13 k14 l15 m16 n17 o23');
});

t.test('a file with something of its own is no barrel', async (t) => {
  t.equal(isBarrel("export * from './a.ts';"), true);
  t.equal(isBarrel("import { a } from './a.ts';\n\nexport { a };\n"), true);
  t.equal(isBarrel("export { a } from './a.ts';\nexport const b = 1;"), false);
  t.equal(isBarrel("import './a.ts';"), false);
  t.equal(isBarrel("import { a } from './a.ts';\nconst b = a();\nexport { b };"), false);
});
