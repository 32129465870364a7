import { join } from 'node:path';
import { loadOverHttp } from '../suite/autocannon-load.ts';
import { startAll } from '../suite/field.ts';
import { oneRouteTo } from '../suite/gateway-configuration.ts';
import { nginxProxy } from '../suite/nginx-proxy.ts';
import type { Entrant, LoadResult, Workload } from '../suite/workload.ts';
import {
  type Contender,
  hasNginx,
  OUTPUT_FILE,
  startGatewayWith,
  startNginxWith,
} from '../support/contender.ts';

const LOG_FILE = 'access.log';
const LOAD = { connections: 64, paths: ['/r0/any'] };

export const accessLog: Workload = {
  name: 'access-log',
  title: 'Access log',
  description:
    'Small GET, one route, with a line a request into a file and without. The line of the gateway is JSON with ' +
    '23 fields, that of nginx its `combined`.',
  warmUps: 3,
  targets: [{ measure: 'cpu', of: 'gateway, log on', to: 'gateway', most: 1.15 }],
  async enter(bench, scope) {
    const origin = await bench.origin();
    const options = { cores: bench.cores.contender };
    const nginx = async (isLogging: boolean) => {
      const http = (port: number, directory: string) => {
        const log = isLogging ? { accessLogFile: join(directory, LOG_FILE) } : {};
        return nginxProxy(origin, port, { prefixes: ['/'], ...log });
      };
      return hasNginx() ? startNginxWith('nginx', http, options) : null;
    };
    const gateway = (accessLog: 'on' | 'off') =>
      startGatewayWith(oneRouteTo(origin), 1, { ...options, accessLog, keepsOutput: true });
    const off = await startAll(scope, { gateway: () => gateway('off'), nginx: () => nginx(false) });
    const on = await startAll(scope, { gateway: () => gateway('on'), nginx: () => nginx(true) });
    const entrants = [...off.contenders.map(createEntrant), ...on.contenders.map(createLoggingEntrant)];
    return { entrants, leftOut: off.leftOut };
  },
};

function createEntrant(contender: Contender): Entrant {
  return { name: contender.name, contender, load: (seconds) => load(contender, seconds) };
}

function createLoggingEntrant(contender: Contender): Entrant {
  return {
    name: `${contender.name}, log on`,
    contender,
    async load(seconds) {
      const before = loggedBytes(contender);
      const result = await load(contender, seconds);
      if (loggedBytes(contender) === before) throw new Error('nothing was logged');
      return result;
    },
  };
}

function load({ port }: Contender, seconds: number): Promise<LoadResult> {
  return loadOverHttp({ port, ...LOAD }, seconds);
}

function loggedBytes(contender: Contender): number {
  return contender.writtenBytes(OUTPUT_FILE) + contender.writtenBytes(LOG_FILE);
}
