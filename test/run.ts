/**
 * Runs the whole suite with coverage: `npm test`. Prints tap's report, the coverage of lib/core and of
 * everything against their floors, and a last line "N passed, N failed". Words after the command go to tap.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const CORE_FLOOR_PERCENT = 95;
const TOTAL_FLOOR_PERCENT = 85;
const RESULTS = '.tap/results.tap';
const LCOV = '.tap/report/lcov.info';

function run(
  command: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): number {
  return spawnSync(command, words, { stdio: 'inherit', env: environment }).status ?? 1;
}

/**
 * Most of what the suite does is to start gateways: what Node has compiled once it need not compile again. Empty at
 * the beginning, as what stands there of former sources would never go.
 */
const COMPILE_CACHE = resolve('.tap/compile-cache');

/** Programs that tests run and slim images lack, each with Debian's package and what asks for its version. */
const PROGRAMS = [
  { name: 'openssl', package: 'openssl', versionFlag: 'version' },
  { name: 'redis-server', package: 'redis-server', versionFlag: '--version' },
  { name: 'redis-cli', package: 'redis-tools', versionFlag: '--version' },
];

function installMissingPrograms(): void {
  const missing = PROGRAMS.filter(({ name, versionFlag }) => spawnSync(name, [versionFlag]).status !== 0);
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).join(' and ');
  process.stdout.write(`${names} missing: installing\n`);
  if (!installPackages(missing.map((program) => program.package))) {
    process.stdout.write(
      `${names} could not be installed: install what is missing, then run the tests again\n`,
    );
    process.exit(1);
  }
}

function installPackages(packages: readonly string[]): boolean {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  return withoutServices(
    () => run('apt-get', ['update', '-qq'], environment) === 0 && run('apt-get', install, environment) === 0,
  );
}

/** Debian starts the service of a package unless this script forbids it; tests start servers of their own. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

function withoutServices(install: () => boolean): boolean {
  if (existsSync(SERVICE_POLICY)) return install();
  try {
    writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  } catch {
    // Whoever may not write there may not install either.
    return false;
  }
  try {
    return install();
  } finally {
    rmSync(SERVICE_POLICY);
  }
}

/** tap's last comments say how many tests there were: `# { total: 3, pass: 2, fail: 1 }`. */
function countResults(): { passed: number; failed: number } {
  const last =
    readFileSync(RESULTS, 'utf8')
      .match(/^# \{ total: .*\}$/gm)
      ?.at(-1) ?? '';
  const countOf = (name: string): number => Number(new RegExp(`${name}: (\\d+)`).exec(last)?.[1] ?? 0);
  const total = countOf('total');
  const passed = countOf('pass');
  return { passed, failed: total - passed - countOf('skip') };
}

/**
 * The assertions that failed, by file: whoever sees only the end of the output has to know what to run again.
 * tap names a file behind what happened in it.
 */
function showFailures(): void {
  let failures: string[] = [];
  for (const line of readFileSync(RESULTS, 'utf8').split('\n')) {
    if (/^\s+not ok \d+ - /.test(line)) failures.push(line.trim());
    const file = /^(?:not )?ok \d+ - (\S+\.ts)/.exec(line)?.[1];
    if (file === undefined) continue;
    if (line.startsWith('not ok')) process.stdout.write(`${[file, ...failures].join('\n  ')}\n`);
    failures = [];
  }
}

interface Coverage {
  lines: number;
  hit: number;
}

function readCoverage(): { core: Coverage; total: Coverage } {
  const core = { lines: 0, hit: 0 };
  const total = { lines: 0, hit: 0 };
  for (const record of readFileSync(LCOV, 'utf8').split('end_of_record')) {
    const file = /^SF:(.*)$/m.exec(record)?.[1] ?? '';
    const lines = Number(/^LF:(\d+)$/m.exec(record)?.[1] ?? 0);
    const hit = Number(/^LH:(\d+)$/m.exec(record)?.[1] ?? 0);
    for (const sum of file.startsWith('lib/core/') ? [core, total] : [total]) {
      sum.lines += lines;
      sum.hit += hit;
    }
  }
  return { core, total };
}

function coversEnough(name: string, { lines, hit }: Coverage, floorPercent: number): boolean {
  const percent = lines === 0 ? 0 : (100 * hit) / lines;
  process.stdout.write(
    `coverage of ${name}: ${percent.toFixed(1)} % of lines (at least ${floorPercent} %)\n`,
  );
  return percent >= floorPercent;
}

function main(): number {
  installMissingPrograms();
  rmSync(COMPILE_CACHE, { recursive: true, force: true });
  process.env.NODE_COMPILE_CACHE = COMPILE_CACHE;
  if (run('tap', ['build']) !== 0) return 1;
  mkdirSync('.tap', { recursive: true });
  const words = process.argv.slice(2);
  const status = run('tap', [
    'run',
    '--output-file',
    RESULTS,
    '--reporter=terse',
    '--allow-incomplete-coverage',
    '--coverage-report=lcovonly',
    ...words,
  ]);
  let ok = status === 0;
  if (!ok) showFailures();
  if (words.length === 0) {
    const { core, total } = readCoverage();
    // Both are worked out before either is judged, so that both are shown.
    const enough = [
      coversEnough('lib/core', core, CORE_FLOOR_PERCENT),
      coversEnough('everything', total, TOTAL_FLOOR_PERCENT),
    ];
    ok &&= enough.every(Boolean);
  }
  const { passed, failed } = countResults();
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return ok && failed === 0 && passed > 0 ? 0 : 1;
}

process.exitCode = main();
