/** `bin/gateway` on a Node that is too old for the rest of the sources. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);
const command = fileURLToPath(new URL('../../bin/gateway', import.meta.url));

/** The first Node of the system that is too old; null where there is none. */
async function findOldNode(): Promise<string | null> {
  for (const node of ['/usr/local/bin/node', '/usr/bin/node']) {
    const result = await run(node, ['--version']).catch(() => null);
    const [major = 0, minor = 0] = (result?.stdout.slice(1) ?? '99.0').split('.').map(Number);
    if (major < 22 || (major === 22 && minor < 21)) return node;
  }
  return null;
}

const oldNode = await findOldNode();

t.test(
  'one line says which version is needed',
  { skip: oldNode === null ? 'the system has no old Node' : false },
  async (t) => {
    const failure = await run(oldNode ?? '', [command, 'start']).then(
      () => null,
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    t.match(failure, { code: 1, stdout: '' });
    t.match(failure?.stderr.trimEnd().split('\n'), [/needs Node\.js 22\.21, 24\.9 or newer, this is v\d+\./]);
  },
);
