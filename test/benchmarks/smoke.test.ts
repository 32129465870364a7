import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import type { Report } from '../../benchmarks/suite/report.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';

const SCRIPT = fileURLToPath(new URL('../../benchmarks/run.ts', import.meta.url));
const LIMIT_MS = 60_000;

t.test('one quick workload with the gateway alone gives its figures', async (t) => {
  const file = join(await createTemporaryDirectory(t), 'figures.json');
  const words = [
    '--quick',
    '--seconds',
    '1.5',
    '--only',
    'small-get',
    '--contenders',
    'gateway',
    '--json',
    file,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, ...words], { timeout: LIMIT_MS });
  const { machine, workloads } = JSON.parse(await readFile(file, 'utf8')) as Report;
  t.ok(machine.versions['Node.js']);
  const [smallGet] = workloads;
  t.same(
    smallGet?.entrants.map(({ name }) => name),
    ['gateway'],
  );
  t.equal(smallGet?.entrants[0]?.summary.failed, 0);
  t.ok(Number(smallGet?.entrants[0]?.summary.requestsPerSecond) > 0);
  t.match(stdout, /^\| gateway \| \d/m);
  t.match(stdout, 'CPU: gateway / nginx ≤ 2 | – | **not measured** |');
});
