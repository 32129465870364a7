/** What the figures were measured on, and with. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Machine } from './report.ts';

/** Programs that say their version, on either output. */
const PROGRAMS = { nginx: ['nginx', '-v'], HAProxy: ['haproxy', '-v'], wrk: ['wrk', '-v'] };
const PACKAGES = ['http-proxy-3', '@fastify/http-proxy', 'undici', 'ws', 'autocannon'];

export function describeMachine(division: string): Machine {
  const programs = Object.entries(PROGRAMS).flatMap(([name, [command = '', flag = '']]) => {
    const { stdout, stderr } = spawnSync(command, [flag], { encoding: 'utf8' });
    const version = /\d+\.\d+(\.\d+)?/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[0];
    return version === undefined ? [] : [[name, version] as const];
  });
  return {
    cores: os.cpus().length,
    cpuModel: os.cpus()[0]?.model ?? 'unknown processor',
    kernel: `${os.type()} ${os.release()}`,
    division,
    versions: { 'Node.js': process.versions.node, ...Object.fromEntries(programs), ...packageVersions() },
  };
}

/** All of them are pinned, so what package.json says is what is installed. */
function packageVersions(): Record<string, string> {
  const file = new URL('../../package.json', import.meta.url);
  const { dependencies, devDependencies } = JSON.parse(readFileSync(file, 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  const all = { ...dependencies, ...devDependencies };
  return Object.fromEntries(PACKAGES.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
}
