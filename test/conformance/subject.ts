/** A gateway under test: a real process in front of the recording origin, configured to forward /public/. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../helpers/eventually.ts';
import { findFreePort } from '../helpers/free-port.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { request } from '../helpers/raw-client.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { haproxyConfiguration, nginxConfiguration } from './rival-configurations.ts';
import { closingRequest } from './wire-text.ts';

interface Subject {
  readonly port: number;
  /** What the gateway logged that must never come of a request; empty unless something is wrong. */
  readonly troubles: () => readonly string[];
}

/** A kind of gateway that the suite can be run against. */
export interface SubjectKind {
  readonly name: string;
  /** Null where it is not installed. */
  readonly findVersion: () => string | null;
  /** Starts one that forwards to this port of 127.0.0.1; it goes with its owner. */
  readonly start: (owner: TestOwner, originPort: number) => Promise<Subject>;
}

/** As in the configurations of the others. */
const LIMIT_MS = 3_000;

const PACKAGE = new URL('../../package.json', import.meta.url);
const WORKER_TROUBLES = ['worker died', 'worker hangs', 'worker failed'];

async function startFengling(owner: TestOwner, originPort: number): Promise<Subject> {
  const timeouts = { headersMs: LIMIT_MS, idleMs: LIMIT_MS };
  const gateway = await startGateway(owner, {
    accessLog: 'off',
    config: {
      clusters: {
        origin: {
          destinations: { only: { url: `http://127.0.0.1:${originPort}` } },
          timeouts,
          // One connection: whatever is left on it meets the next request.
          pool: { maxConnections: 1, idleMs: 60_000 },
        },
      },
      routes: { public: { match: { path: '/public/{**rest}' }, cluster: 'origin' } },
    },
  });
  const troubles = () =>
    gateway.logs.map(({ msg = '' }) => msg).filter((message) => WORKER_TROUBLES.includes(message));
  return { port: gateway.port, troubles };
}

/** Text of a configuration for a gateway on `port`, which may keep files in `directory`. */
type Configure = (port: number, originPort: number, directory: string) => string;

/** Servers are installed where not every user's path leads. */
const ENVIRONMENT = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` };

function rival(
  name: string,
  program: string,
  version: RegExp,
  configure: Configure,
  flags: readonly string[],
): SubjectKind {
  const findVersion = () => {
    const { stdout, stderr } = spawnSync(program, ['-v'], { encoding: 'utf8', env: ENVIRONMENT });
    return version.exec(`${stdout}${stderr}`)?.[1] ?? null;
  };
  return {
    name,
    findVersion,
    start: async (owner, originPort) => {
      const directory = await createTemporaryDirectory(owner);
      const port = await findFreePort();
      const file = join(directory, `${program}.conf`);
      await writeFile(file, configure(port, originPort, directory));
      const child = spawn(program, [...flags, file], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: ENVIRONMENT,
      });
      owner.teardown(() => stop(child));
      await eventually(() => request(port, closingRequest('/')));
      return { port, troubles: () => (child.exitCode === null ? [] : [`${name} has exited`]) };
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

export const FENGLING: SubjectKind = {
  name: 'Fengling Gateway',
  findVersion: () => {
    const { version }: { readonly version: string } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
    return version;
  },
  start: startFengling,
};

export const RIVALS: readonly SubjectKind[] = [
  rival('nginx', 'nginx', /nginx\/([\d.]+)/, nginxConfiguration, ['-c']),
  rival('HAProxy', 'haproxy', /version ([\d.]+)/, haproxyConfiguration, ['-db', '-f']),
];
