/** The documentation of the management API and of the commands names what there is, both ways. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { ROLES } from '../lib/auth/roles.ts';
import { EXIT } from '../lib/cli/exit-codes.ts';
import { startAdmin } from './admin/started-admin.ts';
import { runGatewayCommand } from './helpers/gateway-command.ts';

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}

t.test('docs/management-api.md lists every endpoint of openapi.json, and no other', async (t) => {
  const admin = await startAdmin(t);
  const { text } = await admin.call('GET', 'openapi.json', { as: 'reader' });
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, unknown>> };
  const served = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const rows = read('docs/management-api.md').matchAll(/^\| ([A-Z]+) \| (`\/.*?) \| (\w+) \|/gm);
  const listed = [...rows].flatMap(([, method, cell = '', role = '']) => {
    t.ok([...ROLES, 'none'].includes(role), `${method} ${cell}: ${role}`);
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, path]) => `${method} ${path}`);
  });
  t.same(listed.sort(), served.sort());
});

t.test('docs/cli.md names every command, and lists every exit code', async (t) => {
  const text = read('docs/cli.md');
  const { stdout } = await runGatewayCommand(['--help'], {}, 30_000);
  const commands = [...stdout.matchAll(/^ {2}([a-z]+)( \[options\]| <| {2}).*$/gm)].map(
    ([, name = '']) => name,
  );
  t.ok(commands.length > 10, 'the help was understood');
  for (const command of commands) {
    if (command !== 'help') t.match(text, new RegExp(`\`${command}\\b`), command);
  }
  const codes = [...text.matchAll(/^\| (\d) \| .*\|$/gm)].map(([, code]) => Number(code));
  t.same(codes, Object.values(EXIT));
});
