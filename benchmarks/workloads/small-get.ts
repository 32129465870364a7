import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROUTE_PATHS } from '../suite/gateway-configuration.ts';
import type { Workload } from '../suite/workload.ts';
import { loadByWrk, writeWrkScript } from '../suite/wrk-load.ts';
import { enterField, enterFieldOverHttp } from './fielded.ts';

const CONNECTIONS = 64;

export const smallGet: Workload = {
  name: 'small-get',
  title: 'Small GET',
  description:
    'GET with an answer of 12 bytes, 64 kept connections of autocannon, all of 1,000 routes in turn, power of two ' +
    'choices over four destinations. The other proxies on Node.js have one route and one destination. ' +
    'Where a contender is quicker than autocannon, the requests a second are those of autocannon.',
  weight: 2,
  warmUps: 3,
  targets: [
    { measure: 'cpu', of: 'gateway', to: 'nginx', most: 2 },
    { measure: 'cpu', of: 'gateway', to: 'http-proxy-3', most: 0.25 },
    { measure: 'cpu', of: 'gateway', to: 'bare undici', most: 0.6 },
  ],
  enter: (bench) => enterFieldOverHttp(bench, { connections: CONNECTIONS, paths: ROUTE_PATHS }),
};

export const smallGetByWrk: Workload = {
  name: 'small-get-wrk',
  title: 'Small GET, by wrk',
  isSecondOpinion: true,
  description: 'The same from wrk with one thread: a second opinion. Its bursts last whole seconds.',
  targets: [],
  async enter(bench, scope) {
    if (spawnSync('wrk', ['-v']).error !== undefined)
      return { entrants: [], leftOut: ['wrk: not installed'] };
    const directory = mkdtempSync(join(tmpdir(), 'gateway-benchmark-'));
    scope.teardown(() => rmSync(directory, { recursive: true }));
    const script = join(directory, 'paths.lua');
    await writeWrkScript(script, ROUTE_PATHS);
    const load = (port: number, seconds: number) => loadByWrk(port, script, CONNECTIONS, seconds);
    const reason = 'autocannon is quick enough for it';
    return enterField(bench, load, { 'http-proxy-3': reason, '@fastify/http-proxy': reason });
  },
};
